import { z } from 'zod';
import { configurationSchema, variablesSchema } from '../model/configuration.ts';
import type { SavedConfiguration } from '../model/saved-configuration.ts';
import { sizeNames } from '../model/size.ts';
import type { DeploymentView, Outcome, SwapView, TerminatedView } from '../model/view.ts';
import { environmentAddresses as addresses } from './environment-addresses.ts';
import {
  answer,
  byField,
  environmentParams,
  mannerFields,
  nothing,
  type Route,
  versionInput,
} from './route.ts';

/** The part of the table about environments as a whole. */

const applicationParams = z.strictObject({ application: z.string() });
const configurationParams = applicationParams.extend({ name: z.string() });
const { message } = mannerFields;
const count = z.int().min(0).max(10_000).optional();
const started = answer<{ deployment: DeploymentView }>('Its first deployment, started');

export const environmentRoutes = {
  createEnvironment: {
    ...addresses.createEnvironment,
    summary: 'Make an environment that is not there',
    params: applicationParams,
    query: nothing,
    body: z.strictObject({
      name: z.string(),
      configuration: configurationSchema,
      /** As `belay env` would set them. */
      variables: variablesSchema.default({}),
      /** A bundle that was sent, the label of a version, or null for a fixed address. */
      version: z.union([versionInput, z.string()]).nullable(),
      message,
      by: byField,
    }),
    answer: started,
  },
  cloneEnvironment: {
    ...addresses.cloneEnvironment,
    summary: 'Make an environment that is the same as this one but for what is said',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      name: z.string(),
      /** In place of this one's configuration and variables; its domains do not count. */
      configuration: configurationSchema.nullable().default(null),
      min: count,
      desired: count,
      max: count,
      domains: configurationSchema.shape.domains.optional(),
      variables: variablesSchema.default({}),
      message,
      by: byField,
    }),
    answer: started,
  },
  swapEnvironments: {
    ...addresses.swapEnvironments,
    summary: 'Exchange the host names of two environments of an application',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ with: z.string(), force: mannerFields.force }),
    answer: answer<SwapView>('In force on every worker, unless the snapshot is null'),
  },
  rebuildEnvironment: {
    ...addresses.rebuildEnvironment,
    summary: 'End every instance and start anew from the record; of a terminated one too',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ message, by: byField }),
    answer: answer<{ deployment: DeploymentView }>('Started'),
  },
  resizeEnvironment: {
    ...addresses.resizeEnvironment,
    summary: 'Give instances another size: a deployment like any other',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      /** Null: the configuration's own. */
      size: z.enum(sizeNames).nullable(),
      ...mannerFields,
    }),
    answer: answer<Outcome>('Started, or queued; neither when nothing changed'),
  },
  terminatedEnvironments: {
    ...addresses.terminatedEnvironments,
    summary: 'Environments that ended and can be brought back',
    params: nothing,
    query: z.strictObject({ application: z.string().optional() }),
    body: null,
    answer: answer<{ terminated: TerminatedView[] }>('The last to end first'),
  },
  savedConfigurations: {
    ...addresses.savedConfigurations,
    summary: 'Saved configurations of an application',
    params: applicationParams,
    query: nothing,
    body: null,
    answer: answer<{ configurations: SavedConfiguration[] }>('By name'),
  },
  savedConfiguration: {
    ...addresses.savedConfiguration,
    summary: 'One saved configuration',
    params: configurationParams,
    query: nothing,
    body: null,
    answer: answer<SavedConfiguration>('Whole, variables in the clear'),
  },
  saveConfiguration: {
    ...addresses.saveConfiguration,
    summary: 'Keep under a name what an environment runs by',
    params: configurationParams,
    query: nothing,
    body: z.strictObject({
      environment: z.string(),
      message,
      /** In the place of one that has the name. */
      replace: z.boolean().default(false),
    }),
    answer: answer<SavedConfiguration>('As it was kept'),
  },
  deleteConfiguration: {
    ...addresses.deleteConfiguration,
    summary: 'Forget a saved configuration; what was made by it stays',
    params: configurationParams,
    query: nothing,
    body: null,
    answer: answer<SavedConfiguration>('As it was'),
  },
} as const satisfies Record<string, Route>;
