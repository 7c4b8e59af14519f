/** What the page asks of the application beside the stream. */

const at = (path) => new URL(`../${path}`, import.meta.url);

/** The answer, or an error with a sentence for the reader. */
export async function ask(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  return answerOf(await fetch(at(`${path}?${query}`), { headers: { accept: 'application/json' } }));
}

export async function act(body) {
  const answer = await fetch(at('actions'), {
    method: 'POST',
    // A page of another site cannot set this header.
    headers: { 'content-type': 'application/json', 'x-grpc-lb-console': 'act' },
    body: JSON.stringify(body),
  });
  return answerOf(answer);
}

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 || response.status === 403)
    throw new Error(answer.done === false ? answer.message : 'You may not do this.');
  throw new Error(typeof answer.message === 'string' ? answer.message : `The application answers ${response.status}.`);
}
