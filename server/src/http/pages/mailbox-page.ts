import type { FastifyRequest } from 'fastify';
import { BlockList, isIPv6 } from 'node:net';
import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { html, type Html } from '../../lib/html.ts';
import type { MailboxEntry } from '../../mail/index.ts';
import { pageRoute, sendPage } from './page.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
/** Names of this machine. Any other may be a page's own, pointed at it (DNS rebinding). */
const localName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;
/** What proxies add: their caller is somewhere else. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

const mailboxQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 254 })) });

/**
 * `GET /dev/mail?to=`: the mails that were sent to nobody, as a page or, for `Accept: application/json`, as
 * an array, newest first. Its links open every account, so it answers this machine only, wherever the
 * service listens. Without a mailbox, so always in production, the route does not exist.
 */
export function addMailboxPage(app: App, { config, mail: { mailbox } }: Ctx): void {
  if (!mailbox) return;
  const ownName = new URL(config.baseUrl).hostname;
  app.get(
    '/dev/mail',
    { ...pageRoute, schema: { ...pageRoute.schema, querystring: mailboxQuery } },
    async (request, reply) => {
      if (!isLocal(request, ownName)) {
        const detail =
          'The development mailbox answers only this machine, by a local name and without a proxy.';
        throw new AppError('request.not_found', { detail });
      }
      const { to = '' } = request.query;
      const entries = mailbox.list(to);
      reply.header('vary', 'accept');
      if (/\bapplication\/json\b/.test(request.headers.accept ?? '')) return entries;
      return sendPage(reply, { title: 'Development mailbox', body: listOf(entries, to) });
    },
  );
}

function isLocal({ socket, hostname, headers }: FastifyRequest, ownName: string): boolean {
  const { remoteAddress = '' } = socket;
  return (
    loopback.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4') &&
    (localName.test(hostname) || hostname === ownName) &&
    proxyHeaders.every((name) => headers[name] === undefined)
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
