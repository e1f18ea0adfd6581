import { expect, test } from 'vitest';
import { startRawReceiver } from '../../../test/harness/receiver.ts';
import { fetchSafely } from './fetch-safely.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const halfBody = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';

test.concurrent.each([
  ['asks for another protocol', switching, 'stays', 'another protocol'],
  ['ends the connection without an answer', '', 'ends', 'socket hang up'],
  ['ends in the middle of its answer', halfBody, 'ends', 'aborted'],
  ['stops in the middle of its headers', 'HTTP/1.1 200 OK\r\nContent-Le', 'stays', 'timeout'],
  ['stops in the middle of its answer', halfBody, 'stays', 'aborted'],
] as const)('a server that %s is not waited for', async (_, bytes, then, message) => {
  const url = await startRawReceiver(bytes, then);
  await expect(fetchSafely(url, {}, { mayBeLoopback: true })).rejects.toThrow(message);
});

test.concurrent('a name that is looked up for ever is not waited for', async () => {
  const limits = { mayBeLoopback: false, resolve: () => Promise.race<never>([]) };
  await expect(fetchSafely('https://notes.example.com/keys', {}, limits)).rejects.toThrow('timeout');
});
