import { dayOf } from '../format.ts';
import type { BackupCodesPage, PasskeyRow, SecurityPage, TotpSetUpPage } from '../security-pages.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Field, PasswordField } from '../parts/field.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Part } from '../parts/part.tsx';
import { PasskeyForm } from '../parts/passkey-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';
import { CodeField } from './second-factor.tsx';

const { backupCodes, security, totpSetUp } = texts;

export function Security({ page }: { page: SecurityPage }) {
  const { account, done, problem, continueUrl, renewal, backupCodesLeft, rememberedCount } = page;
  return (
    <Frame heading={headingOf(page)} lead={security.lead}>
      <DoneNote>{done && security.done[done]}</DoneNote>
      <ProblemNote problem={problem} id="problem" />
      <AccountRow account={account} />
      <Totp page={page} />
      <Passkeys page={page} />
      {renewal !== null && (
        <Part heading={security.backupCodes} lead={security.codesLeft(backupCodesLeft)}>
          <PageForm form={renewal}>
            <Submit kind="other">{security.renew}</Submit>
          </PageForm>
        </Part>
      )}
      <Part heading={security.devices} lead={security.devicesCount(rememberedCount)}>
        {rememberedCount > 0 && (
          <PageForm form={page.forgetting}>
            <Submit kind="other">{security.forget}</Submit>
          </PageForm>
        )}
      </Part>
      {continueUrl !== null && (
        <p className="after">
          <a href={continueUrl}>{security.continue}</a>
        </p>
      )}
      <OwnLinks />
    </Frame>
  );
}

function Totp({ page: { setUp, removal, problem } }: { page: SecurityPage }) {
  return (
    <Part heading={security.totp} lead={removal === null ? security.totpOff : security.totpOn}>
      {setUp !== null && (
        <PageForm form={setUp}>
          <Submit>{security.setUp}</Submit>
        </PageForm>
      )}
      {removal !== null && (
        <PageForm form={removal} className="stack">
          <PasswordField
            name="password"
            label={texts.fields.password}
            autoComplete="current-password"
            required
            problem={problem}
          />
          <CodeField label={security.code} problem={problem} />
          <Submit kind="main">{security.remove}</Submit>
        </PageForm>
      )}
    </Part>
  );
}

function Passkeys({ page: { passkeys, addition } }: { page: SecurityPage }) {
  const name = (
    <Field
      name="name"
      label={texts.passkey.name}
      defaultValue={texts.passkey.defaultName}
      autoComplete="off"
      required
      maxLength={100}
      problem={null}
    />
  );
  return (
    <Part heading={security.passkeys} lead={security.passkeysLead}>
      {passkeys.map((passkey) => (
        <Passkey key={passkey.id} passkey={passkey} />
      ))}
      <PasskeyForm call={{ kind: 'create', ...addition }} fields={name}>
        {texts.passkey.add}
      </PasskeyForm>
    </Part>
  );
}

function Passkey({ passkey: { name, createdAt, lastUsedAt, removal } }: { passkey: PasskeyRow }) {
  const used = lastUsedAt === null ? null : dayOf(lastUsedAt);
  return (
    <div>
      <p>
        <strong>{name}</strong>
      </p>
      <p className="lead">{security.added(dayOf(createdAt), used)}</p>
      <PageForm form={removal}>
        <Submit kind="quiet">{security.removePasskey(name)}</Submit>
      </PageForm>
    </div>
  );
}

export function TotpSetUp({ page }: { page: TotpSetUpPage }) {
  const { form, qrCode, secret, cancelUrl, problem } = page;
  const { size, path } = qrCode;
  return (
    <Frame heading={headingOf(page)} lead={totpSetUp.lead}>
      <ProblemNote problem={problem} id="problem" />
      <svg className="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={totpSetUp.qrCode}>
        <rect width={size} height={size} />
        <path d={path} />
      </svg>
      <p className="hint">
        {totpSetUp.secret} <code>{secret}</code>
      </p>
      <PageForm form={form} className="stack">
        <CodeField label={totpSetUp.code} problem={problem} />
        <Submit>{totpSetUp.submit}</Submit>
      </PageForm>
      <p className="after">
        <a href={cancelUrl}>{totpSetUp.cancel}</a>
      </p>
    </Frame>
  );
}

export function BackupCodes({ page }: { page: BackupCodesPage }) {
  return (
    <Frame heading={headingOf(page)} lead={backupCodes.lead}>
      <ul className="backup-codes">
        {page.codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <a className="button main" href={page.continueUrl}>
        {backupCodes.continue}
      </a>
    </Frame>
  );
}
