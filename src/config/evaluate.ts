import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const here = new URL('.', import.meta.url).href;
/** This program's own face for configuration files, as `.ts` from a clone and `.js` from a package. */
const face = new URL(`./index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, here).href;

const NOT_SCRIPTS = /\.(json|node|wasm|cjs|cts)\?/;

let evaluations = 0;

/**
 * Runs a configuration file and returns what it exports. Types are stripped, not checked. `belay`
 * resolves to the running copy wherever the file lies. The file, and what it imports from outside
 * node_modules, is read afresh each time.
 *
 * It is required rather than imported, so that it runs to its end in one go: a configuration that
 * waits for something is refused by Node, and the hooks see no module but the file's own.
 */
export function evaluateConfiguration(file: string): Record<string, unknown> {
  evaluations += 1;
  const fresh = `?evaluation=${evaluations}`;
  const url = pathToFileURL(file).href;
  // What is required is known by its path alone, and would be read once; what it imports is known
  // by its whole URL. So a module that exists only here is required, and imports the file.
  const entry = `${file}.evaluation-${evaluations}`;
  const entryUrl = pathToFileURL(entry).href;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'belay') return { url: face, shortCircuit: true };
      if (specifier === entry) return { url: entryUrl, format: 'module', shortCircuit: true };
      const resolved = next(specifier, context);
      return isOfTheApplication(resolved.url)
        ? { ...resolved, url: resolved.url + fresh }
        : resolved;
    },
    load(loading, context, next) {
      if (loading === entryUrl) {
        const source = `export * as file from ${JSON.stringify(url)};`;
        return { format: 'module', source, shortCircuit: true };
      }
      if (!loading.endsWith(fresh) || NOT_SCRIPTS.test(loading)) return next(loading, context);
      // Whatever package.json says about modules, and JavaScript too: the parser that strips types
      // tells the line of a syntax error, and Node's own does not.
      return next(loading, { ...context, format: 'module-typescript' });
    },
  });
  try {
    const evaluated = require(entry) as { file: Record<string, unknown> };
    return evaluated.file;
  } finally {
    delete require.cache[entry];
    hooks.deregister();
  }
}

function isOfTheApplication(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && !url.startsWith(here);
}
