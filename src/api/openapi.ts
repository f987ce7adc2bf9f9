import { z } from 'zod';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

/** The API as an OpenAPI 3.1 document, made from the table of routes. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, route] of Object.entries(routes)) {
    const path = route.path.replace(/:([a-zA-Z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Belay',
      version: '1',
      description: 'Spoken over the unix socket in the home, for its owner alone.',
    },
    paths,
  };
}

function operation(name: string, route: Route): object {
  return {
    operationId: name,
    summary: route.summary,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body
      ? { requestBody: { content: { 'application/json': { schema: schemaOf(route.body) } } } }
      : {}),
    responses: {
      200: { description: route.answer.description, content: { 'application/json': {} } },
      default: {
        description:
          'A fault: `{ fault: { code, message, subject?, hint?, retryable, details? } }`',
      },
    },
  };
}

function parameters(schema: z.ZodObject, where: 'path' | 'query'): object[] {
  return Object.entries(schema.shape).map(([name, shape]) => ({
    name,
    in: where,
    required: where === 'path',
    schema: schemaOf(shape as z.ZodType),
  }));
}

const schemaOf = (schema: z.ZodType): object =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
