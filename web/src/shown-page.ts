import type { Form, Page } from './page.ts';

/** While an administrator looks at somebody's account: whose, until when (ISO 8601), and how to end it. */
export type LookingView = {
  email: string;
  until: string;
  stop: Form;
  /** Whether this page is of that account, and not the administrator's own. */
  isShown: boolean;
};

/** A page as a browser gets it. Of an account that is looked at nothing can be sent. */
export type ShownPage = Page & { looking?: LookingView };

/** What the build for the server exports as `renderPage`: the title of a page, and its HTML. */
export type RenderPage = (page: ShownPage) => { title: string; markup: string };
