/** The operator's listener of a node. */
export { Api, type ApiDoors, type ApiServer } from './api.ts';
export { METRICS_KIND } from './metrics-page.ts';
