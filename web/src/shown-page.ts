import type { Form, Page } from './page.ts';

/** While an administrator looks at somebody's account: until when (ISO 8601), and how to end it. */
export type LookingView = { until: string; stop: Form };

/** A page as a browser gets it. What it is `looking` at can be read, and nothing of it be sent. */
export type ShownPage = Page & { looking?: LookingView };

/** What the build for the server exports as `renderPage`: the title of a page, and its HTML. */
export type RenderPage = (page: ShownPage) => { title: string; markup: string };
