/** Does what curl would with the few options that our documents use, on the test's own port. */
export async function runCurl(serviceUrl: string, command: string): Promise<{ status: number; body: any }> {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  const valuesOf = (option: string) =>
    words.flatMap((word, index) => (words[index - 1] === option ? [word] : []));
  const address = words.find((word) => word.startsWith('http')) ?? '';
  const [body] = valuesOf('-d');
  const basic = valuesOf('-u').map((pair): [string, string] => ['authorization', `Basic ${btoa(pair)}`]);
  const response = await fetch(address.replace('http://localhost:3001', serviceUrl), {
    method: valuesOf('-X')[0] ?? 'GET',
    headers: [...valuesOf('-H').map((header) => header.split(': ') as [string, string]), ...basic],
    ...(body ? { body } : {}),
  });
  return { status: response.status, body: await response.json() };
}
