/** What the runner hands to this application. Without the runner the defaults fit one `nest start demo-server`. */
export interface Settings {
  /** `host:port` of each backend. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  /** Names under which the page is reached, in lower case; `localhost` and IP addresses need none. */
  readonly hosts: readonly string[];
  /** Take any free port if that one is taken. */
  readonly anyPort: boolean;
  /** Calls started a second, whatever becomes of the earlier ones. */
  readonly rate: number;
  readonly deadlineMs: number;
  /** How long the first phase lasts; 0 leaves it out. */
  readonly baselineSeconds: number;
  /** How long the second phase lasts; null goes on until the application is told to end. */
  readonly balancedSeconds: number | null;
}

const DEFAULTS: Settings = {
  addresses: ['127.0.0.1:50051'],
  httpPort: 3000,
  hosts: [],
  anyPort: true,
  rate: 100,
  deadlineMs: 5000,
  baselineSeconds: 15,
  balancedSeconds: null,
};

/** One environment variable for all, because a program writes it and a program reads it. */
export const SETTINGS_VARIABLE = 'DEMO_CLIENT_SETTINGS';

export const settings: Settings = {
  ...DEFAULTS,
  ...(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as Partial<Settings>),
};
