import { renderToString } from 'react-dom/server';
import { PageView } from './page-view.tsx';
import type { RenderPage } from './shown-page.ts';
import { texts } from './texts.ts';
import { titleOf } from './title-of.ts';

/** What the server calls: the title and the HTML of a page. */
export const renderPage: RenderPage = (page) => ({
  title: page.looking?.isShown ? texts.looking.title(titleOf(page), page.looking.email) : titleOf(page),
  markup: renderToString(<PageView page={page} />),
});
