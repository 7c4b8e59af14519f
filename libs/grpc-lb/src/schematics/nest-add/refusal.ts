/** Why the project is left as it is, with what to do about it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
