const browsers: [RegExp, string][] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systems: [RegExp, string][] = [
  [/\b(iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];
/** Words without anything that a mail program would make a link of. */
const plainName = /^[^/:.@<>\\]{1,60}$/u;

/**
 * The device of a sign-in in plain words for its owner: what it calls itself, else program and system. Both
 * are said by whoever signs in, so nothing goes into the mail that could lead its reader somewhere.
 */
export function describeDevice(deviceName: string | undefined, userAgent: string | null): string | null {
  if (deviceName !== undefined && plainName.test(deviceName)) return deviceName;
  const agent = userAgent ?? '';
  const find = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(agent))?.[1];
  const program = find(browsers) ?? /^[A-Za-z][A-Za-z -]{0,29}(?=\/|$)/.exec(agent)?.[0];
  const system = find(systems);
  return program && system ? `${program} on ${system}` : (program ?? system ?? null);
}
