import type { ChooseAccountPage, SignedOutPage, SignOutPage } from '../page.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Frame } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { chooseAccount, signOut, signedOut } = texts;

export function ChooseAccount({ page }: { page: ChooseAccountPage }) {
  const { form, application, account } = page;
  return (
    <Frame heading={headingOf(page)} lead={chooseAccount.lead} application={application}>
      <AccountRow account={account} />
      <PageForm form={form} className="stack">
        <Submit decision="continue">{chooseAccount.continue(account.name ?? account.email)}</Submit>
        <Submit kind="other" decision="other-account">
          {texts.account.other}
        </Submit>
        <Submit kind="quiet" decision="cancel">
          {chooseAccount.cancel(application?.name ?? null)}
        </Submit>
      </PageForm>
    </Frame>
  );
}

export function SignOut({ page }: { page: SignOutPage }) {
  const { form, application, account } = page;
  return (
    <Frame heading={headingOf(page)} lead={signOut.lead(application?.name ?? null)} application={application}>
      {account !== null && <AccountRow account={account} />}
      <PageForm form={form} className="stack">
        <div className="choices">
          <Submit decision="sign-out">{signOut.submit}</Submit>
          <Submit kind="other" decision="stay">
            {signOut.stay}
          </Submit>
        </div>
      </PageForm>
    </Frame>
  );
}

export function SignedOut({ page }: { page: SignedOutPage }) {
  const { application, signInUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={signedOut.detail} application={application}>
      <p className="after">
        <a href={signInUrl}>{signedOut.signIn}</a>
      </p>
      {application !== null && application.homeUrl !== null && (
        <p className="after">
          <a href={application.homeUrl}>{signedOut.back(application.name)}</a>
        </p>
      )}
    </Frame>
  );
}
