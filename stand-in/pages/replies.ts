import type { Reply } from '../lib/call.ts';
import { renderNotice } from './pay-page.ts';

/** A page that says one thing. */
export function notice(status: number, title: string, words: string): Reply {
  return { status, body: renderNotice(title, words) };
}

/** Sends the browser on. */
export function goTo(location: string): Reply {
  return { status: 303, body: '', headers: { location } };
}
