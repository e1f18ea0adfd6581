import { connect } from 'node:net';
import { expect, test } from 'vitest';

// Addresses and names that are reserved for documentation: nobody answers there.
test.each(['http://192.0.2.1/', 'https://example.com/', 'http://[2001:db8::1]:8080/'])(
  'the tests cannot reach %s',
  async (url) => {
    await expect(fetch(url)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('The network is closed in tests') },
    });
  },
);

test('the tests cannot open a connection elsewhere by a socket of their own', async () => {
  const socket = connect(443, '192.0.2.1');
  const error = await new Promise<Error>((resolve) => {
    socket.once('error', resolve);
  });
  expect(error.message).toContain('The network is closed in tests');
});
