import type { Answer } from './index.ts';
import { newPkce, type TestProvider } from './oauth.ts';

export const redirectUrl = 'https://notes.example.com/callback';

type More = Record<string, unknown>;

/** Calls of the JSON flow as DevPortal's clients make them: below `/api/oauth`, with their names. */
export function jsonFlowCalls(service: TestProvider, client: () => { clientId: string }) {
  const { verifier, challenge } = newPkce();
  const asked = (more: More = {}) => ({
    clientId: client().clientId,
    redirectUrl,
    code_challenge: challenge,
    code_challenge_method: 's256',
    ...more,
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    service.send('POST', `/api/oauth/${path}`, { body, headers });
  return {
    verifier,
    asked,
    post,
    validate: (more: More = {}): Promise<Answer> => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(asked(more))) {
        if (value !== undefined) query.set(name, value);
      }
      return service.send('GET', `/api/oauth/validate?${query.toString()}`);
    },
    authorize: (person: { email: string; password: string }, more: More = {}) =>
      post('authorize', { email: person.email, password: person.password, ...asked(more) }),
    authorizeWithToken: (token: string, more: More = {}) =>
      post('authorize-with-token', { token, ...asked(more) }),
    redeem: (code: string, more: More = {}) =>
      post('token', { code, code_verifier: verifier, clientId: client().clientId, ...more }),
  };
}
