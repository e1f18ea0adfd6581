import type { App } from '../app.ts';
import { AppError } from '../errors.ts';

/**
 * Bodies are JSON and nothing else. An empty one counts as none, because clients send `Content-Type:
 * application/json` with calls that have no body; `__proto__` and `constructor.prototype` are refused,
 * compressed bodies are not read.
 */
export function installBodyParser(app: App): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body, done);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new AppError('request.unsupported_media_type', {
        detail: 'Send the body without Content-Encoding.',
        headers: { 'accept-encoding': 'identity' },
      });
    }
    done();
  });
}
