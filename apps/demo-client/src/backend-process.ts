/** What the runner knows about the process of a backend. */
export interface BackendProcess {
  readonly address: string;
  readonly process: 'starting' | 'running' | 'frozen' | 'stopping' | 'stopped';
  /** The factor by which it was slowed down. */
  readonly factor: number;
  /** `Find` calls received and not answered, as reported by the backend. */
  readonly inFlight: number;
}
