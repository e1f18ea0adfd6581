import { expect, test } from 'vitest';
import { startTestService } from './harness/index.ts';

const service = await startTestService();

test('an unknown address answers with a problem document and a request id', async () => {
  const answer = await service.send('GET', '/api/nothing/here');
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    code: 'request.not_found',
    status: 404,
    instance: '/api/v1/nothing/here',
  });
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
});
