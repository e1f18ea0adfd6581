import { settings } from '../config.ts';
import { socialFields, type SocialField } from '../identity-providers.ts';
import type { Setting } from '../lib/settings.ts';

const typeNames: Record<Setting['type'], string> = {
  text: 'text',
  choice: 'one of',
  integer: 'whole number',
  credits: 'whole number of credits',
  scale: '0 to 6',
  boolean: '`true` or `false`',
  duration: 'duration (`90s`, `15m`, `12h`, `7d`, or seconds)',
  origins: 'origins, comma separated',
  networks: 'addresses and ranges, comma separated',
  url: 'http(s) address',
  domain: 'domain',
};

/** `docs/reference/configuration.md`: every setting of the table in config.ts, by group. */
export function renderConfiguration(): string {
  const groups = settingsByGroup().map(([group, members]) => {
    const rows = members.map((setting) => {
      const kind = [kindOf(setting), ...notesOf(setting)].join('; ');
      return `| \`${setting.env}\` | ${kind} | ${defaultOf(setting)} | ${cell(setting.description)} |`;
    });
    return [`## ${group}`, '', '| name | kind | default | meaning |', '|---|---|---|---|', ...rows].join(
      '\n',
    );
  });
  return [
    '# Configuration',
    'Settings come from the environment, or from a file `.env` beside it; the environment wins. Every wrong one is ' +
      'named at the start, all at once. `$NAME` in a default stands for the value of that setting. Secret values are ' +
      'never logged.',
    ...groups,
    renderSocialFields(),
    '',
  ].join('\n\n');
}

/** The settings that every other provider has under its name. */
function renderSocialFields(): string {
  const rows = (Object.entries(socialFields) as [string, SocialField][]).map(
    ([field, { description, default: fallback, secret }]) =>
      `| \`SOCIAL_<NAME>_${field}\` | text${secret ? '; secret' : ''} | ` +
      `${fallback === '' ? '(empty)' : `\`${fallback}\``} | ${cell(description)} |`,
  );
  return [
    '## Providers by name',
    '',
    'Each provider besides Auth0 has settings under a name of its own, in capital letters and digits: `SOCIAL_GOOGLE_CLIENT_ID`, ' +
      '`SOCIAL_COMPANY_ISSUER`. See [the guide](../guides/upstream-login.md).',
    '',
    '| name | kind | default | meaning |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** `.env.example`: the same as comments, ready to be copied to `.env`. */
export function renderEnvExample(): string {
  const groups = settingsByGroup().map(([group, members]) => {
    const lines = members.flatMap((setting) => {
      const choices = setting.choices ? [setting.choices.join(', ')] : [];
      // Nothing in this file stands for anything else, so a default that names a setting is only told.
      const isDerived = setting.default.includes('$');
      const derived = isDerived ? [`empty is ${setting.default}`] : [];
      const notes = [...choices, ...derived, ...notesOf(setting)];
      const description = setting.description.replaceAll('`', '');
      return [
        `# ${description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`,
        `#${setting.env}=${isDerived ? '' : setting.default}`,
      ];
    });
    return [`## ${group}`, ...lines].join('\n');
  });
  return [
    '# Copy to .env and take the # off what you set. All of it is in docs/reference/configuration.md.',
    ...groups,
    ['## Providers by name, such as SOCIAL_GOOGLE_CLIENT_ID', ...socialLines()].join('\n'),
    '',
  ]
    .join('\n\n')
    .replace(/\n\n$/, '\n');
}

function socialLines(): string[] {
  return (Object.entries(socialFields) as [string, SocialField][]).flatMap(
    ([field, { description, default: fallback }]) => [
      `# ${description.replaceAll('`', '')}`,
      `#SOCIAL_<NAME>_${field}=${fallback}`,
    ],
  );
}

function settingsByGroup(): [string, Setting[]][] {
  const groups = new Map<string, Setting[]>();
  for (const setting of Object.values(settings) as Setting[]) {
    groups.set(setting.group, [...(groups.get(setting.group) ?? []), setting]);
  }
  return [...groups];
}

function kindOf({ type, choices = [] }: Setting): string {
  return [typeNames[type], choices.map((choice) => `\`${choice}\``).join(', ')].join(' ').trim();
}

function notesOf(setting: Setting): string[] {
  return [
    ...(setting.secret ? ['secret'] : []),
    ...(setting.requiredInProduction ? ['required in production'] : []),
  ];
}

function defaultOf(setting: Setting): string {
  return setting.default === '' ? '(empty)' : `\`${setting.default}\``;
}

/** Text that may stand in a cell of a Markdown table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
