import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { html, type Html } from '../../lib/html.ts';
import type { MailboxEntry } from '../../mail/index.ts';
import { pageRoute, sendPage } from './page.ts';

const mailboxQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 254 })) });

/**
 * `GET /dev/mail?to=`: the mails that were sent to nobody, as a page or, for `Accept: application/json`, as
 * an array, newest first. Without a mailbox, so always in production, the route does not exist.
 */
export function addMailboxPage(app: App, { mail: { mailbox } }: Ctx): void {
  if (!mailbox) return;
  app.get(
    '/dev/mail',
    { ...pageRoute, schema: { ...pageRoute.schema, querystring: mailboxQuery } },
    async (request, reply) => {
      const { to = '' } = request.query;
      const entries = mailbox.list(to);
      reply.header('vary', 'accept');
      if (/\bapplication\/json\b/.test(request.headers.accept ?? '')) return entries;
      return sendPage(reply, { title: 'Development mailbox', body: listOf(entries, to) });
    },
  );
}

function listOf(entries: MailboxEntry[], to: string): Html {
  const count = entries.length === 1 ? 'One mail' : `${entries.length} mails`;
  return html`<p class="soft">Without SMTP_HOST, mails of this process end here. The newest come first.</p>
    <form method="get" action="/dev/mail">
      <label for="to">Mails to</label>
      <input
        id="to"
        name="to"
        type="text"
        inputmode="email"
        autocomplete="off"
        value="${to}"
        placeholder="everybody"
      />
      <button type="submit">Show</button>
    </form>
    <p role="status">${count}${to === '' ? '' : ` to ${to}`}.</p>
    ${entries.map(articleOf)}`;
}

function articleOf({ subject, to, text, links, sentAt }: MailboxEntry): Html {
  const time = sentAt.toISOString();
  return html`<article>
    <h2>${subject}</h2>
    <p class="soft">to ${to}, <time datetime="${time}">${time.slice(0, 16).replace('T', ' ')} UTC</time></p>
    <pre>${text}</pre>
    ${links.map((link) => html`<p><a href="${link}">${link}</a></p>`)}
  </article>`;
}
