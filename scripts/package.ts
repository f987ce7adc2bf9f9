import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Makes `dist/` a whole package, and packs it into FOLDER, else the repository's own:
 * `npm run package`, `node scripts/package.ts [FOLDER]`. Node refuses TypeScript below
 * `node_modules`, so what is published is stripped JavaScript, with declarations for the one thing
 * that people import: the helpers of `belay.config.ts`.
 */

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const FACE = 'src/config/index';
/** Copied as they are; what is not there yet is left out. */
const COPIED = ['bin', 'docs', 'examples', 'CHANGELOG.md', 'LICENSE', 'README.md'];

interface Manifest {
  version: string;
  [field: string]: unknown;
}

rmSync(DIST, { recursive: true, force: true });
execFileSync(process.execPath, [compiler(), '-p', join(ROOT, 'tsconfig.build.json')], {
  stdio: 'inherit',
});
keepDeclarationsOf(`${FACE}.d.ts`);
for (const name of COPIED) {
  if (existsSync(join(ROOT, name))) {
    cpSync(join(ROOT, name), join(DIST, name), { recursive: true, filter: isPublished });
  }
}
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
const folder = resolve(process.argv[2] ?? ROOT);
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
  cwd: DIST,
  encoding: 'utf8',
});
process.stdout.write(`${join(folder, packed.trim())}\n`);

/** What the published package says of itself: no tools, no runtime of its own, Node 24. */
function manifest(): Manifest {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const { private: _, scripts, devDependencies, optionalDependencies, ...published } = own;
  return {
    ...published,
    engines: { node: '>=24' },
    exports: { '.': { types: `./${FACE}.d.ts`, default: `./${FACE}.js` } },
    files: ['src', ...COPIED.filter((name) => existsSync(join(DIST, name)))],
  };
}

function compiler(): string {
  return join(ROOT, 'node_modules/typescript/bin/tsc');
}

function isPublished(path: string): boolean {
  return !/(?:^|\/)(?:node_modules|\.DS_Store)(?:\/|$)/.test(relative(ROOT, path));
}

/** Removes every declaration that this one does not lead to. */
function keepDeclarationsOf(first: string): void {
  const kept = new Set<string>();
  const follow = (path: string): void => {
    if (kept.has(path)) return;
    kept.add(path);
    const text = readFileSync(join(DIST, path), 'utf8');
    for (const [, target = ''] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) {
      follow(join(dirname(path), target.replace(/\.[jt]s$/, '.d.ts')));
    }
  };
  follow(first);
  for (const name of readdirSync(join(DIST, 'src'), { recursive: true, encoding: 'utf8' })) {
    const path = join('src', name);
    if (path.endsWith('.d.ts') && !kept.has(path)) rmSync(join(DIST, path));
  }
}
