import type { RegisterPage } from '../page.ts';
import { ProofField, useProof } from '../parts/challenge.tsx';
import { Field, NewPasswordField } from '../parts/field.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Providers } from '../parts/providers.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { register, fields } = texts;

export function Register({ page }: { page: RegisterPage }) {
  const { form, application, problem, challenge } = page;
  const proof = useProof(challenge);
  return (
    <Frame heading={headingOf(page)} lead={register.lead} application={application}>
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack" isHeldBack={challenge !== null && proof === null}>
        {challenge !== null && <ProofField proof={proof} />}
        <Field
          name="name"
          label={register.name}
          note={register.optional}
          autoComplete="name"
          defaultValue={page.typedName}
          maxLength={200}
          problem={problem}
        />
        <Field
          name="email"
          label={fields.email}
          type="email"
          autoComplete="username"
          defaultValue={page.email}
          autoFocus={problem?.field === 'email'}
          required
          maxLength={254}
          problem={problem}
        />
        <NewPasswordField
          name="password"
          label={fields.password}
          autoFocus={problem?.field === 'password'}
          problem={problem}
        />
        <Submit>{register.submit}</Submit>
      </PageForm>
      <Providers providers={page.providers} />
      <p className="after">
        {register.haveAccount} <a href={page.signInUrl}>{register.signIn}</a>
      </p>
    </Frame>
  );
}
