import type { OwnPage } from './account-pages.ts';
import type { ApplicationView, Page } from './page.ts';
import { texts } from './texts.ts';

/** The heading of a page. */
export function headingOf(page: Page): string {
  if (isOwnPage(page)) return ownHeadingOf(page);
  if (page.name === 'people') return texts.people.title;
  if (page.name === 'person') return page.person.name ?? page.person.email;
  switch (page.name) {
    case 'sign-in':
      return page.reason === 'again' ? texts.signIn.titleAgain : texts.signIn.title(nameOf(page.application));
    case 'register':
      return texts.register.title(nameOf(page.application));
    case 'consent':
      return texts.consent.title(page.application.name);
    case 'budget':
      if (page.isSaved) return texts.budgetPage.titleSaved;
      return texts.budgetPage[page.budget.current ? 'title' : 'titleFirst'](page.application.name);
    case 'choose-account':
      return texts.chooseAccount.title(nameOf(page.application));
    case 'request-access':
      return texts.requestAccess.titles[page.state](page.application.name);
    case 'access-requests':
      return texts.accessRequests.title(page.requests.length);
    case 'device-code':
      return texts.deviceCode.title;
    case 'device-confirm':
      return texts.deviceConfirm.title(page.application.name);
    case 'device-done':
      return texts.deviceDone[page.outcome].title;
    case 'sign-out':
      return texts.signOut.title;
    case 'signed-out':
      return texts.signedOut.title;
    case 'forgot-password':
      return page.isSent ? texts.forgotPassword.titleSent : texts.forgotPassword.title;
    case 'reset-password':
      return page.isDone ? texts.resetPassword.titleDone : texts.resetPassword.title;
    case 'verify-email':
      return page.isDone ? texts.verifyEmail.titleDone : texts.verifyEmail.title;
    case 'second-factor':
      return texts.secondFactor.titles[page.reason](nameOf(page.application));
    case 'factor-needed':
      return texts.factorNeeded.title(page.application.name);
    case 'security':
      return texts.security.title;
    case 'totp-set-up':
      return texts.totpSetUp.title;
    case 'backup-codes':
      return texts.backupCodes.title;
    case 'magic-link':
      return texts.magicLink.title;
    case 'change-email':
      return page.isDone ? texts.changeEmail.titleDone : texts.changeEmail.title;
    case 'credits':
      return texts.credits.title;
    case 'checkout':
      return texts.checkout.title;
    case 'notice':
      return texts.notices[page.kind].title;
    case 'error':
      return texts.problems[page.code]?.title ?? page.title ?? texts.problems['server.internal'].title;
  }
}

function ownHeadingOf(page: OwnPage): string {
  return page.name === 'connect' ? texts.connect.title(page.provider) : ownHeadings[page.name];
}

const ownHeadings: Record<Exclude<OwnPage['name'], 'connect'>, string> = {
  account: texts.accountPage.title,
  devices: texts.devices.title,
  events: texts.events.title,
  connected: texts.connected.title,
  keys: texts.keys.title,
  'key-made': texts.keyMade.title,
  apps: texts.apps.title,
};

/** Whether it is one of the pages about one's own account. */
export function isOwnPage(page: Page): page is OwnPage {
  return page.name === 'connect' || Object.hasOwn(ownHeadings, page.name);
}

/** What the tab says; a page that comes again says so first, so that a screen reader reads it at once. */
export function titleOf(page: Page): string {
  const title = `${headingOf(page)} – ${texts.service}`;
  return isRefused(page) ? texts.refusedTitle(title) : title;
}

function isRefused(page: Page): boolean {
  if (page.name === 'person') return page.refused !== null;
  return 'problem' in page && page.problem !== null;
}

function nameOf(application: ApplicationView | null): string | null {
  return application?.name ?? null;
}
