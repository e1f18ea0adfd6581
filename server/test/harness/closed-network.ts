import { Socket } from 'node:net';

/**
 * Closes the network for the tests: a connection to anything but this machine fails, so that no test depends
 * on, or talks to, somebody else's server.
 */
const loopback = /^(localhost|127(\.\d+){3}|::1|0\.0\.0\.0|::)$/;
const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;

Socket.prototype.connect = function connectToThisMachine(this: Socket, ...args: unknown[]) {
  const host = hostOf(args);
  if (host === undefined || loopback.test(host)) return Reflect.apply(connect, this, args);
  process.nextTick(() => this.destroy(new Error(`The network is closed in tests; this one wanted ${host}`)));
  return this;
};

/**
 * The host of the arguments of `connect`, in each form it takes; undefined for this machine and for local
 * sockets.
 */
function hostOf(args: unknown[]): string | undefined {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === 'object' && first !== null) return (first as { host?: string }).host;
  return typeof first === 'number' && typeof second === 'string' ? second : undefined;
}
