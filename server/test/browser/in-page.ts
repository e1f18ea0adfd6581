/** What tests run in the browser: each function stands alone, as it is sent there as text. */

type Measured = typeof globalThis & { shifts: number[] };

/** Waits until React has taken over the HTML of the server. */
export function isAlive(): boolean {
  const root = document.getElementById('page');
  return Object.keys(root ?? {}).some((key) => key.startsWith('__reactContainer'));
}

/** Before the page is there: notes how far anything in it jumps. */
export function recordShifts(): void {
  const measured = globalThis as Measured;
  measured.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      measured.shifts.push((entry as unknown as { value: number }).value);
  }).observe({ type: 'layout-shift', buffered: true });
}

/** By how much the page is wider than the window, which prices are broken in two, and what has jumped. */
export async function readLayout(): Promise<{ overflow: number; broken: string[]; shifts: number[] }> {
  for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  const { scrollWidth, clientWidth } = document.documentElement;
  const broken: string[] = [];
  for (const price of document.querySelectorAll('.price')) {
    const texts = document.createTreeWalker(price, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(text);
      if (range.getClientRects().length > 1) broken.push(price.textContent);
    }
  }
  return { overflow: scrollWidth - clientWidth, broken, shifts: (globalThis as Measured).shifts };
}

/** The colours of the edge of each control, and of what is behind it. */
export function readEdges(): { what: string; edge: string; behind: string }[] {
  const backgroundOf = (element: Element | null): string => {
    if (!element) return 'rgb(255, 255, 255)';
    const color = getComputedStyle(element).backgroundColor;
    return color !== 'rgba(0, 0, 0, 0)' ? color : backgroundOf(element.parentElement);
  };
  const controls = 'input:not([type=hidden]):not([readonly]), select, textarea, .button.main, .button.other';
  return [...document.querySelectorAll(controls)].map((element) => {
    const { borderTopColor } = getComputedStyle(element);
    return {
      what: element.outerHTML.slice(0, 80),
      edge: borderTopColor !== 'rgba(0, 0, 0, 0)' ? borderTopColor : backgroundOf(element),
      behind: backgroundOf(element.parentElement),
    };
  });
}

/**
 * Numbers what the tab key stops at, as it is read, and puts the focus before the first; returns how many. Of
 * a choice it stops at what is chosen; what is folded up or cannot be used is left out.
 */
export function numberControls(): number {
  const inputs = 'input:not([type=hidden], [type=radio]:not(:checked))';
  const stops = `a[href], button, ${inputs}, select, textarea, summary`;
  const controls = [...document.querySelectorAll(stops)].filter(
    (control) => control.checkVisibility() && !control.matches(':disabled'),
  );
  controls.forEach((element, index) => element.setAttribute('data-index', String(index)));
  const start = document.createElement('span');
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  return controls.length;
}

/** The number of the control that has the focus, and whether it shows. */
export function readFocus(): { index: number; isMarked: boolean } {
  const element = document.activeElement;
  if (!element || element === document.body) return { index: -1, isMarked: false };
  const { outlineStyle, boxShadow } = getComputedStyle(element);
  return {
    index: Number(element.getAttribute('data-index')),
    isMarked: outlineStyle !== 'none' || boxShadow !== 'none',
  };
}

/** What a page says, and what its forms send unseen. */
export function readPlainPage(): { heading: string; title: string; forms: string[][] } {
  return {
    heading: document.querySelector('h1')?.innerText ?? '',
    title: document.title,
    forms: [...document.forms].map((form) => [
      form.method,
      (form.elements.namedItem('csrf') as HTMLInputElement | null)?.value ?? '',
    ]),
  };
}

/** Presses the main button three times; returns for each press whether the form was kept back. */
export function pressThrice(): boolean[] {
  const kept: boolean[] = [];
  window.addEventListener('submit', (event) => {
    kept.push(event.defaultPrevented);
    event.preventDefault();
  });
  for (let press = 0; press < 3; press++) document.querySelector<HTMLButtonElement>('.button.main')?.click();
  return kept;
}

export type PageCall = {
  url: string;
  method?: string;
  body?: unknown;
  token?: string;
  credentials?: RequestCredentials;
};

/**
 * Calls an API as a page does, by JSON. `status` 0: the browser did not let the page have the answer, or did
 * not even ask.
 */
export async function callFromPage(call: PageCall): Promise<{ status: number; body: any }> {
  const { url, method = 'GET', body, token, credentials } = call;
  try {
    const response = await fetch(url, {
      method,
      ...(credentials === undefined ? {} : { credentials }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: null };
  }
}

type Held = typeof globalThis & { asked: number; answerPasskey(isMade: boolean): void };

/** Before the page is there: who is asked for a passkey takes until `answerPasskey` is called. */
export function holdPasskeys(): void {
  const held = globalThis as Held;
  held.asked = 0;
  const response = {
    clientDataJSON: new ArrayBuffer(1),
    attestationObject: new ArrayBuffer(1),
    getTransports: () => ['internal'],
  };
  const passkey = { id: 'AA', rawId: new ArrayBuffer(1), response } as unknown as Credential;
  navigator.credentials.create = () => {
    held.asked++;
    return new Promise((resolve, reject) => {
      held.answerPasskey = (isMade) =>
        isMade ? resolve(passkey) : reject(new DOMException('stopped', 'NotAllowedError'));
    });
  };
}

/** How often a passkey was asked for. */
export function countAsked(): number {
  return (globalThis as Held).asked;
}

/** Makes the passkey that is asked for, or stops. */
export function answerPasskey(isMade: boolean): void {
  (globalThis as Held).answerPasskey(isMade);
}

/** A verifier and its challenge, made where they belong: in the page. @see RFC 7636 §4 */
export async function makePkceInPage(): Promise<{ verifier: string; challenge: string }> {
  const random = crypto.getRandomValues(new Uint8Array(32));
  // Letters and digits do for a verifier, which is to have at least 43 of them.
  const verifier = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return { verifier, challenge: base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') };
}
