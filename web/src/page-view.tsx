import type { OwnPage } from './account-pages.ts';
import type { Page } from './page.ts';
import { Account, Apps, Devices } from './pages/account.tsx';
import { ChooseAccount, SignedOut, SignOut } from './pages/accounts.tsx';
import { AccessRequests } from './pages/access-requests.tsx';
import { Budget } from './pages/budget.tsx';
import { Connect, Connected } from './pages/connected.tsx';
import { Consent } from './pages/consent.tsx';
import { Checkout, Credits } from './pages/credits.tsx';
import { DeviceCode, DeviceConfirm, DeviceDone } from './pages/device.tsx';
import { Events } from './pages/events.tsx';
import { KeyMade, Keys } from './pages/keys.tsx';
import { Fault, Notice } from './pages/news.tsx';
import { ChangeEmail, ForgotPassword, MagicLink, ResetPassword, VerifyEmail } from './pages/recovery.tsx';
import { People } from './pages/people.tsx';
import { Person } from './pages/person.tsx';
import { Register } from './pages/register.tsx';
import { RequestAccess } from './pages/request-access.tsx';
import { FactorNeeded, SecondFactor } from './pages/second-factor.tsx';
import { BackupCodes, Security, TotpSetUp } from './pages/security.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { LookingBanner } from './parts/looking-banner.tsx';
import type { ShownPage } from './shown-page.ts';
import { isOwnPage } from './title-of.ts';

/** Draws any page; the same on the server and in the browser. */
export function PageView({ page }: { page: ShownPage }) {
  const { looking } = page;
  if (looking === undefined) return <View page={page} />;
  return (
    <>
      <LookingBanner view={looking} />
      <fieldset className="looked-at" role="presentation" disabled={looking.isShown}>
        <View page={page} />
      </fieldset>
    </>
  );
}

function View({ page }: { page: Page }) {
  if (isOwnPage(page)) return <OwnPageView page={page} />;
  if (page.name === 'people') return <People page={page} />;
  if (page.name === 'person') return <Person page={page} />;
  switch (page.name) {
    case 'sign-in':
      return <SignIn page={page} />;
    case 'register':
      return <Register page={page} />;
    case 'consent':
      return <Consent page={page} />;
    case 'budget':
      return <Budget page={page} />;
    case 'choose-account':
      return <ChooseAccount page={page} />;
    case 'request-access':
      return <RequestAccess page={page} />;
    case 'access-requests':
      return <AccessRequests page={page} />;
    case 'device-code':
      return <DeviceCode page={page} />;
    case 'device-confirm':
      return <DeviceConfirm page={page} />;
    case 'device-done':
      return <DeviceDone page={page} />;
    case 'sign-out':
      return <SignOut page={page} />;
    case 'signed-out':
      return <SignedOut page={page} />;
    case 'forgot-password':
      return <ForgotPassword page={page} />;
    case 'reset-password':
      return <ResetPassword page={page} />;
    case 'verify-email':
      return <VerifyEmail page={page} />;
    case 'second-factor':
      return <SecondFactor page={page} />;
    case 'factor-needed':
      return <FactorNeeded page={page} />;
    case 'security':
      return <Security page={page} />;
    case 'totp-set-up':
      return <TotpSetUp page={page} />;
    case 'backup-codes':
      return <BackupCodes page={page} />;
    case 'magic-link':
      return <MagicLink page={page} />;
    case 'change-email':
      return <ChangeEmail page={page} />;
    case 'credits':
      return <Credits page={page} />;
    case 'checkout':
      return <Checkout page={page} />;
    case 'notice':
      return <Notice page={page} />;
    case 'error':
      return <Fault page={page} />;
  }
}

function OwnPageView({ page }: { page: OwnPage }) {
  switch (page.name) {
    case 'account':
      return <Account page={page} />;
    case 'devices':
      return <Devices page={page} />;
    case 'events':
      return <Events page={page} />;
    case 'connected':
      return <Connected page={page} />;
    case 'connect':
      return <Connect page={page} />;
    case 'keys':
      return <Keys page={page} />;
    case 'key-made':
      return <KeyMade page={page} />;
    case 'apps':
      return <Apps page={page} />;
  }
}
