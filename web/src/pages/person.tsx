import type { PersonAction, PersonPage, PersonView } from '../admin-pages.ts';
import { creditUnitsOf, dayOf, fieldTextOf, timeOf } from '../format.ts';
import type { Form, Problem } from '../page.ts';
import { Field } from '../parts/field.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Part } from '../parts/part.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { people, person: words } = texts;
const reasonCharactersMax = 500;
const mustSayWhy = new Set<PersonAction>(['look', 'credits', 'reset-factors', 'ban']);

export function Person({ page }: { page: PersonPage }) {
  const { person, events, actions, refused, done, peopleUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={person.email}>
      <DoneNote>{done && words.dones[done]}</DoneNote>
      <ProblemNote problem={refused?.problem ?? null} id="problem" words={words.problems} />
      <Facts person={person} />
      <div className="actions">
        {actions.map(({ action, form }) => (
          <Action
            key={action}
            action={action}
            form={form}
            person={person}
            refused={refused?.action === action ? refused : null}
          />
        ))}
      </div>
      <Part heading={words.events}>
        {events.length === 0 && <p>{words.noEvents}</p>}
        <ol className="index">
          {events.map(({ id, type, ipAddress, createdAt }) => (
            <li key={id}>
              <strong title={type}>{texts.events.types[type] ?? type}</strong>
              <p className="detail">
                <time dateTime={createdAt}>{timeOf(createdAt)}</time>
                {ipAddress !== null && ` · ${ipAddress}`}
              </p>
            </li>
          ))}
        </ol>
      </Part>
      <p className="after">
        <a href={peopleUrl}>{words.all}</a>
      </p>
      <OwnLinks />
    </Frame>
  );
}

function Facts({ person }: { person: PersonView }) {
  const { facts, states } = words;
  const { ban, credits, debt, scale } = person;
  const until = ban?.until ?? null;
  const lines = [
    ...(ban === null
      ? [states[person.state]]
      : [facts.ban(ban.reason, until === null ? null : timeOf(until))]),
    ...(person.isAdministrator ? [people.administrator] : []),
    ...(person.isEmailVerified ? [] : [facts.unconfirmed]),
    facts.since(dayOf(person.createdAt)),
    facts.credits(credits, scale),
    ...(debt > 0 ? [facts.debt(debt, scale)] : []),
    facts.devices(person.devicesCount),
  ];
  return (
    <ul className="plain">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
      <li>
        {words.id} <code>{person.id}</code>
      </li>
    </ul>
  );
}

type ActionProps = {
  action: PersonAction;
  form: Form;
  person: PersonView;
  refused: PersonPage['refused'];
};

/** One thing to do, which opens when it is wanted. */
function Action({ action, form, person, refused }: ActionProps) {
  const { title, lead, submit } = words.actions[action];
  const typed = refused?.typed ?? {};
  const problem = refused?.problem ?? null;
  const roleWords = person.isAdministrator ? words.makeUser : words.makeAdministrator;
  return (
    <details className="action" open={refused !== null}>
      <summary>{title}</summary>
      <p className="lead">{lead}</p>
      <PageForm form={form} className="stack">
        {action === 'credits' && <Amount typed={typed} scale={person.scale} problem={problem} />}
        {action === 'ban' && (
          <Field
            name="until"
            type="date"
            label={words.fields.until}
            note={words.fields.reasonNote}
            hint={words.fields.untilHint}
            defaultValue={typed.until}
            problem={problem}
          />
        )}
        <Field
          name="reason"
          label={words.fields.reason}
          {...(mustSayWhy.has(action) ? { required: true } : { note: words.fields.reasonNote })}
          hint={words.fields.reasonHint}
          defaultValue={typed.reason}
          autoComplete="off"
          maxLength={reasonCharactersMax}
          problem={problem}
        />
        <Submit>{action === 'role' ? roleWords : submit}</Submit>
      </PageForm>
    </details>
  );
}

type AmountProps = { typed: Record<string, string>; scale: number; problem: Problem | null };

function Amount({ typed, scale, problem }: AmountProps) {
  return (
    <Field
      name="amount"
      type="number"
      label={words.fields.amount}
      hint={words.fields.amountHint}
      step={fieldTextOf(1, scale)}
      placeholder={creditUnitsOf(10 * 10 ** scale, scale)}
      defaultValue={typed.amount}
      autoComplete="off"
      required
      problem={problem}
    />
  );
}
