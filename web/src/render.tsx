import { renderToString } from 'react-dom/server';
import { PageView } from './page-view.tsx';
import type { RenderPage } from './shown-page.ts';
import { titleOf } from './title-of.ts';

/** What the server calls: the title and the HTML of a page. */
export const renderPage: RenderPage = (page) => ({
  title: titleOf(page),
  markup: renderToString(<PageView page={page} />),
});
