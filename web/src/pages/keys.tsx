import { useId } from 'react';
import type { KeyLifetime, KeyMadePage, KeyRow, KeysPage } from '../account-pages.ts';
import { dayOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Field, SelectField } from '../parts/field.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Part } from '../parts/part.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { keyMade, keys } = texts;
const nameCharactersMax = 100;
const lifetimes: KeyLifetime[] = ['30', '90', '365', 'never'];

export function Keys({ page }: { page: KeysPage }) {
  const { account, done, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={keys.lead}>
      <DoneNote>{done && keys.done[done]}</DoneNote>
      <ProblemNote problem={problem} id="problem" />
      <AccountRow account={account} />
      {page.keys.length === 0 && <p>{keys.none}</p>}
      {page.keys.map((row) => (
        <Key key={row.id} row={row} />
      ))}
      <Part heading={keys.add} lead={keys.addLead}>
        <NewKey page={page} />
      </Part>
      <OwnLinks />
    </Frame>
  );
}

function Key({ row }: { row: KeyRow }) {
  const { name, start, lastFour, scopes, createdAt, lastUsedAt, expiresAt, isExpired, removal } = row;
  const ending = expiresAt === null ? '' : ` ${keys.ends(dayOf(expiresAt), isExpired)}`;
  const used = lastUsedAt === null ? null : dayOf(lastUsedAt);
  return (
    <Part heading={name} lead={`${keys.about(dayOf(createdAt), used)}${ending}`}>
      <p>
        <code>
          {start}…{lastFour}
        </code>
      </p>
      <p>{keys.opens(scopes.map(nameOf).join('; '))}</p>
      <PageForm form={removal}>
        <Submit kind="quiet">{keys.revoke(name)}</Submit>
      </PageForm>
    </Part>
  );
}

function NewKey({ page: { form, scopes, typed, problem } }: { page: KeysPage }) {
  const id = useId();
  const isMissing = problem?.field === 'scopes';
  return (
    <PageForm form={form} className="stack">
      <Field
        name="keyName"
        label={keys.name}
        hint={keys.nameHint}
        defaultValue={typed.keyName}
        autoComplete="off"
        required
        maxLength={nameCharactersMax}
        problem={problem}
      />
      <fieldset className="ticks" aria-describedby={isMissing ? id : undefined}>
        <legend>{keys.scopes}</legend>
        {scopes.map((scope, index) => (
          <label key={scope} className="check">
            <input
              type="checkbox"
              name={`scope:${scope}`}
              defaultChecked={typed.scopes.includes(scope)}
              autoFocus={isMissing && index === 0}
            />
            {nameOf(scope)}
          </label>
        ))}
        <p className="refusal" id={id} role="alert" hidden={!isMissing}>
          {isMissing ? keys.scopesMissing : null}
        </p>
      </fieldset>
      <SelectField
        name="lifetime"
        label={keys.lifetime}
        options={lifetimes}
        value={typed.lifetime}
        labels={keys.lifetimes}
      />
      <Submit>{keys.submit}</Submit>
    </PageForm>
  );
}

function nameOf(scope: string): string {
  return keys.scopeNames[scope] ?? scope;
}

export function KeyMade({ page }: { page: KeyMadePage }) {
  return (
    <Frame heading={headingOf(page)} lead={keyMade.lead(page.keyName)}>
      <p className="secret">
        <code>{page.key}</code>
      </p>
      <a className="button main" href={page.continueUrl}>
        {keyMade.continue}
      </a>
    </Frame>
  );
}
