import type { SignInPage } from '../page.ts';
import { Field, PasswordField } from '../parts/field.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { PasskeyForm } from '../parts/passkey-form.tsx';
import { Providers } from '../parts/providers.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { signIn } = texts;

export function SignIn({ page }: { page: SignInPage }) {
  const { form, application, email, reason, problem } = page;
  const appName = application?.name ?? null;
  const isAgain = reason === 'again';
  return (
    <Frame
      heading={headingOf(page)}
      lead={isAgain ? signIn.leadAgain : signIn.lead(appName)}
      application={application}
    >
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <Field
          name="email"
          label={texts.fields.email}
          type="email"
          autoComplete="username"
          defaultValue={email}
          autoFocus={email === ''}
          readOnly={isAgain}
          required
          maxLength={254}
          problem={problem}
        />
        <PasswordField
          name="password"
          label={texts.fields.password}
          autoComplete="current-password"
          autoFocus={email !== ''}
          required
          problem={problem}
        />
        <p className="aside">
          <a href={page.forgotPasswordUrl}>{signIn.forgot}</a>
        </p>
        <Submit>{signIn.submit}</Submit>
      </PageForm>
      {page.passkey !== null && (
        <PasskeyForm call={{ kind: 'get', ...page.passkey }}>{texts.passkey.use}</PasskeyForm>
      )}
      <Providers providers={page.providers} />
      {page.registerUrl !== null && (
        <p className="after">
          {signIn.noAccount} <a href={page.registerUrl}>{signIn.register}</a>
        </p>
      )}
      {page.canCancel && (
        <PageForm form={form} className="after">
          <Submit kind="quiet" decision="cancel">
            {signIn.cancel(appName)}
          </Submit>
        </PageForm>
      )}
    </Frame>
  );
}
