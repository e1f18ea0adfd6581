import { renderToString } from 'react-dom/server';
import type { RenderPage } from './page.ts';
import { PageView } from './page-view.tsx';
import { titleOf } from './title-of.ts';

/** What the server calls: the title and the HTML of a page. */
export const renderPage: RenderPage = (page) => ({
  title: titleOf(page),
  markup: renderToString(<PageView page={page} />),
});
