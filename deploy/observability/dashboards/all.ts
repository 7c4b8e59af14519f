import { balancing } from './balancing.js';
import { clients } from './clients.js';
import type { DashboardDefinition } from './definition.js';
import { servers } from './servers.js';

export const DASHBOARDS: readonly DashboardDefinition[] = [clients, servers, balancing];
