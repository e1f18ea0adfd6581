import type { ForgotPasswordPage, ResetPasswordPage, VerifyEmailPage } from '../page.ts';
import type { ChangeEmailPage, MagicLinkPage } from '../security-pages.ts';
import { Field, NewPasswordField } from '../parts/field.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { changeEmail, forgotPassword, magicLink, resetPassword, verifyEmail } = texts;

export function ForgotPassword({ page }: { page: ForgotPasswordPage }) {
  const { form, email, isSent, signInUrl, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={isSent ? forgotPassword.sent : forgotPassword.lead}>
      {!isSent && <ProblemNote problem={problem} id="problem" />}
      {!isSent && (
        <PageForm form={form} className="stack">
          <Field
            name="email"
            label={texts.fields.email}
            type="email"
            autoComplete="username"
            autoFocus
            required
            maxLength={254}
            defaultValue={email}
            problem={problem}
          />
          <Submit>{forgotPassword.submit}</Submit>
        </PageForm>
      )}
      <WayOn url={signInUrl} label={forgotPassword.back} />
    </Frame>
  );
}

export function ResetPassword({ page }: { page: ResetPasswordPage }) {
  const { form, isDone, signInUrl, problem } = page;
  if (isDone) {
    return (
      <Frame heading={headingOf(page)} lead={resetPassword.done}>
        <WayOn url={signInUrl} label={resetPassword.signIn} />
      </Frame>
    );
  }
  return (
    <Frame heading={headingOf(page)} lead={resetPassword.lead}>
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <NewPasswordField name="newPassword" label={texts.fields.newPassword} autoFocus problem={problem} />
        <Submit>{resetPassword.submit}</Submit>
      </PageForm>
      <WayOn url={page.forgotPasswordUrl} label={resetPassword.again} />
    </Frame>
  );
}

export function VerifyEmail({ page }: { page: VerifyEmailPage }) {
  const { form, isDone, signInUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={isDone ? verifyEmail.done : verifyEmail.lead}>
      {!isDone && (
        <PageForm form={form} className="stack">
          <Submit>{verifyEmail.submit}</Submit>
        </PageForm>
      )}
      {isDone && <WayOn url={signInUrl} label={verifyEmail.signIn} />}
    </Frame>
  );
}

export function MagicLink({ page }: { page: MagicLinkPage }) {
  return (
    <Frame heading={headingOf(page)} lead={magicLink.lead}>
      <PageForm form={page.form} className="stack">
        <Submit>{magicLink.submit}</Submit>
      </PageForm>
    </Frame>
  );
}

export function ChangeEmail({ page }: { page: ChangeEmailPage }) {
  const { form, isDone } = page;
  return (
    <Frame heading={headingOf(page)} lead={isDone ? changeEmail.done : changeEmail.lead}>
      {!isDone && (
        <PageForm form={form} className="stack">
          <Submit>{changeEmail.submit}</Submit>
        </PageForm>
      )}
    </Frame>
  );
}

function WayOn({ url, label }: { url: string | null; label: string }) {
  return url === null ? null : (
    <p className="after">
      <a href={url}>{label}</a>
    </p>
  );
}
