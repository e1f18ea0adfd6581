import type { App } from '../app.ts';
import type { Config } from '../config.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** True once the service has been told to stop. */
    isDraining(): boolean;
  }
}

/**
 * Stops gracefully: no new connections, requests in flight are answered, each answer closes its connection,
 * and what is still open after SHUTDOWN_TIMEOUT is cut.
 */
export function installDrain(app: App, config: Config): void {
  let draining = false;
  let cut: NodeJS.Timeout | undefined;
  app.decorate('isDraining', () => draining);
  app.addHook('preClose', async () => {
    draining = true;
    // Answers that the OAuth library writes itself pass no hook: their connections end as soon as they idle.
    app.server.keepAliveTimeout = 1;
    cut = setTimeout(() => {
      app.log.warn('Requests were cut off: they took longer than SHUTDOWN_TIMEOUT');
      app.server.closeAllConnections();
    }, config.shutdownTimeoutSeconds * 1000);
  });
  // Without this, a connection whose answer was under way would stay open until the client lets go.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (draining) reply.header('connection', 'close');
    done();
  });
  app.addHook('onClose', async () => clearTimeout(cut));
}
