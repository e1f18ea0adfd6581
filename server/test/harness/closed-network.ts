import { Socket } from 'node:net';

/**
 * Closes the network for the tests: a connection to anything but this machine fails, so that no test depends
 * on, or talks to, somebody else's server.
 */
const loopback = /^(localhost|127(\.\d+){3}|::1|0\.0\.0\.0|::)$/;
/** Marks a `connect` that is closed already: test files share their process, and this file runs for each. */
const closed = Symbol.for('obol.closed-network');
const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;

if (!(closed in connect)) {
  Socket.prototype.connect = Object.assign(connectToThisMachine, { [closed]: true });
}

function connectToThisMachine(this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  if (host === undefined || loopback.test(host)) return Reflect.apply(connect, this, args);
  process.nextTick(() => this.destroy(new Error(`The network is closed in tests; this one wanted ${host}`)));
  return this;
}

/**
 * The host of the arguments of `connect`, in each form it takes; undefined for this machine and for local
 * sockets.
 */
function hostOf(args: unknown[]): string | undefined {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === 'object' && first !== null) return (first as { host?: string }).host;
  return typeof first === 'number' && typeof second === 'string' ? second : undefined;
}
