import { html, type Html } from '../lib/html.ts';
import type { Mail } from './index.ts';

export const productName = 'Obol';

/** What a mail says. */
export type Letter = {
  subject: string;
  paragraphs: string[];
  button?: { label: string; url: string };
  /** What to do when the mail was not expected. */
  closing: string;
};

/** A mail as text and as HTML, in which every value is escaped. */
export function compose(to: string, { subject, paragraphs, button, closing }: Letter): Mail {
  const text = [...paragraphs, ...(button ? [`${button.label}: ${button.url}`] : []), closing].join('\n\n');
  const body = [
    ...paragraphs.map((paragraph) => html`<p>${paragraph}</p>`),
    ...(button ? [html`<p><a href="${button.url}" style="${buttonStyle}">${button.label}</a></p>`] : []),
    html`<p style="color:#667085;font-size:14px">${closing}</p>`,
  ];
  return { to, subject, text: `${text}\n`, html: frame(subject, body).text };
}

const buttonStyle =
  'display:inline-block;padding:12px 20px;border-radius:8px;' +
  'background:#1f4fd8;color:#ffffff;text-decoration:none';

function frame(title: string, body: Html[]): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
      </head>
      <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#101828;background:#ffffff">
        <div style="max-width:520px;margin:0 auto">
          <p style="font-weight:600">${productName}</p>
          ${body}
        </div>
      </body>
    </html> `;
}
