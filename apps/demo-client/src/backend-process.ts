/** What the runner knows of the process behind a backend. */
export interface BackendProcess {
  readonly address: string;
  readonly process: 'starting' | 'running' | 'stopping' | 'stopped';
  /** How many times slower than its siblings it was told to be. */
  readonly factor: number;
  /** `Find` calls received and not answered, as the backend itself reports them. */
  readonly inFlight: number;
}
