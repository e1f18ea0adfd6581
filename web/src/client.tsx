import { hydrateRoot } from 'react-dom/client';
import { PageView } from './page-view.tsx';
import type { ShownPage } from './shown-page.ts';

// Brings the page to life that the server has drawn, from the data that it was drawn from.
const root = document.getElementById('page');
const data = document.getElementById('page-data')?.textContent;
if (root && data) hydrateRoot(root, <PageView page={JSON.parse(data) as ShownPage} />);
