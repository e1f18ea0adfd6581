import type { AccountView, Form } from '../page.ts';
import { texts } from '../texts.ts';
import { initialOf } from './marks.tsx';
import { PageForm, Submit } from './page-form.tsx';

/** Who is signed in, and with a `form` the way to be somebody else. */
export function AccountRow({ account, form }: { account: AccountView; form?: Form }) {
  const { name, email } = account;
  return (
    <div className="account">
      <span className="initial" aria-hidden="true">
        {initialOf(name ?? email)}
      </span>
      <p>
        <span className="visually-hidden">{texts.account.signedInAs} </span>
        {name !== null && <strong>{name}</strong>}
        <span className={name === null ? 'name' : 'address'}>{email}</span>
      </p>
      {form !== undefined && (
        <PageForm form={form}>
          <Submit kind="quiet" decision="other-account">
            {texts.account.other}
          </Submit>
        </PageForm>
      )}
    </div>
  );
}
