import { X509Certificate, type KeyObject } from 'node:crypto';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { fetchBounded } from '../../../lib/fetch-bounded.ts';
import { createBoundedMap } from '../../../lib/bounded-map.ts';
import { checkCertificateChain, readCertificates, type ChainRules } from './check-certificate-chain.ts';

const keptMax = 16;
const keptMs = 24 * 3_600_000;
const refusedMax = 256;
const refusedMs = 60_000;
const fetchesPerMinuteMax = 20;
/** For the certificate that PayPal used last, besides. */
const reservedPerMinuteMax = 10;
const certificateBytesMax = 64 * 1024;
const timeoutMs = 5_000;
/** Where the authority that issues PayPal's certificates keeps its own, named in what it issues. */
const issuerHost = 'cacerts.digicert.com';

export type CertificateStoreOptions = {
  clock: Clock;
  /** The common name that certificates must be made out to. */
  commonName: string;
  /** Whether issuers that are left out are asked for; a stand-in leaves none out. */
  findsIssuers: boolean;
  /** The authorities that are trusted, in PEM. */
  roots: () => readonly string[];
  fetch?: typeof fetch | undefined;
  memory?: CertificateMemory | undefined;
};

/** Where the address of the certificate that PayPal used last outlives the process. */
export type CertificateMemory = {
  read(): Promise<string | null>;
  write(address: string): Promise<void>;
};

export type CertificateStore = {
  /**
   * The key of the certificate at an address that has been checked. Throws `payments.signature_invalid`
   * when what is there proves nothing, `payments.provider_unavailable` when it cannot be had now.
   */
  keyAt(address: string): Promise<KeyObject>;
  /** Notes that PayPal has signed with the certificate at this address: it comes first from now on. */
  noteUse(address: string): Promise<void>;
};

type Kept = { key: KeyObject; freshUntil: number; validFrom: number; validUntil: number };

/**
 * Fetches certificates, each once for all who wait for it: over TLS, without following redirects, 64 KiB at
 * most, within 5 s. Good ones are kept, 16 at most: fetched anew after a day, and used for as long as they
 * are valid while that fails. Bad addresses are not asked again for a minute, and no more than 20 a minute
 * are asked in all, since anybody can send deliveries that name some. The one that PayPal used last has 10 of
 * its own, also after a restart, so that nobody keeps true deliveries out by naming others.
 */
export function createCertificateStore(options: CertificateStoreOptions): CertificateStore {
  const { clock } = options;
  const kept = createBoundedMap<Kept>(keptMax);
  const refused = createBoundedMap<number>(refusedMax);
  const underWay = new Map<string, Promise<Kept>>();
  const asked: number[] = [];
  const reserved: number[] = [];
  const lastUsed = rememberLast(options.memory);
  const rules = createRules(options);
  const load = async (address: string, isPreferred: boolean): Promise<Kept> => {
    const now = clock.now();
    if (isPreferred) takeTurn(reserved, { now: now.getTime(), max: reservedPerMinuteMax });
    else takeTurn(asked, { now: now.getTime(), max: fetchesPerMinuteMax });
    const pem = await fetchPem(options, address);
    try {
      const chain = await checkCertificateChain(readCertificates(pem), { ...rules(), now });
      return { ...chain, freshUntil: now.getTime() + keptMs };
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('payments.signature_invalid', { cause });
    }
  };
  return {
    async keyAt(address) {
      const now = clock.now().getTime();
      const found = kept.get(address);
      const known = found && found.validFrom <= now && now < found.validUntil ? found : undefined;
      if (known && now < known.freshUntil) return known.key;
      if ((refused.get(address) ?? 0) > now) throw new AppError('payments.signature_invalid');
      const isPreferred = (await lastUsed.read()) === address;
      const loading =
        underWay.get(address) ?? load(address, isPreferred).finally(() => underWay.delete(address));
      underWay.set(address, loading);
      try {
        const loaded = await loading;
        kept.set(address, loaded);
        return loaded.key;
      } catch (error) {
        const code = error instanceof AppError ? error.code : undefined;
        if (code === 'payments.signature_invalid') refused.set(address, now + refusedMs);
        if (code === 'payments.provider_unavailable' && known) return known.key;
        throw error;
      }
    },
    async noteUse(address) {
      if ((await lastUsed.read()) !== address) await lastUsed.write(address);
    },
  };
}

/** The address that was used last: asked for once, and kept for as long as the process runs. */
function rememberLast(memory: CertificateMemory | undefined): CertificateMemory {
  let last: Promise<string | null> | undefined;
  return {
    read() {
      if (last) return last;
      const reading: Promise<string | null> = (memory?.read() ?? Promise.resolve(null)).catch(() => {
        // What cannot be read now is read the next time, unless it has been noted anew meanwhile.
        if (last === reading) last = undefined;
        return null;
      });
      return (last = reading);
    },
    async write(address) {
      last = Promise.resolve(address);
      // What cannot be noted now only does not outlive the process.
      await memory?.write(address).catch(() => undefined);
    },
  };
}

/** Takes one of so many turns a minute. Throws `payments.provider_unavailable` when none is left. */
function takeTurn(taken: number[], { now, max }: { now: number; max: number }): void {
  while (taken.length > 0 && (taken[0] ?? 0) <= now - 60_000) taken.shift();
  if (taken.length >= max) throw new AppError('payments.provider_unavailable');
  taken.push(now);
}

/** What chains are checked by; the authorities are read once, when the first delivery arrives. */
function createRules(options: CertificateStoreOptions): () => Omit<ChainRules, 'now'> {
  const { commonName, findsIssuers } = options;
  let roots: X509Certificate[] | undefined;
  return () => {
    roots ??= options.roots().map((pem) => new X509Certificate(pem));
    return { roots, commonName, ...(findsIssuers ? { findIssuer: issuerFinder(options) } : {}) };
  };
}

async function fetchPem(options: CertificateStoreOptions, address: string): Promise<string> {
  let response: Response;
  try {
    response = await fetchBounded(address, {
      timeoutMs,
      bodyBytesMax: certificateBytesMax,
      fetch: options.fetch,
    });
  } catch (cause) {
    // Too large is not a certificate; everything else may be better next time.
    if (cause instanceof TypeError && cause.message === 'the answer is too large')
      throw new AppError('payments.signature_invalid', { cause });
    throw new AppError('payments.provider_unavailable', { cause });
  }
  const { status } = response;
  const cause = new Error(`the certificate's host answered ${status}`);
  if (status >= 500 || status === 429) throw new AppError('payments.provider_unavailable', { cause });
  if (status !== 200) throw new AppError('payments.signature_invalid', { cause });
  return response.text();
}

/**
 * Fetches an issuer that PayPal leaves out, from the authority that every certificate of PayPal's names.
 * What it answers is only a link of a chain: it must have signed the certificate below it, and be signed by
 * a trusted root. @see RFC 5280 §4.2.2.1
 */
function issuerFinder(options: CertificateStoreOptions): NonNullable<ChainRules['findIssuer']> {
  return async ({ infoAccess }) => {
    const [, path] =
      /^CA Issuers - URI:https?:\/\/cacerts\.digicert\.com(\/[\w.-]+)$/m.exec(infoAccess ?? '') ?? [];
    if (path === undefined) return null;
    const request = { timeoutMs, bodyBytesMax: certificateBytesMax, fetch: options.fetch };
    try {
      const response = await fetchBounded(`https://${issuerHost}${path}`, request);
      if (response.status !== 200) throw new Error(`the issuer's host answered ${response.status}`);
      return new X509Certificate(Buffer.from(await response.arrayBuffer()));
    } catch (cause) {
      throw new AppError('payments.provider_unavailable', { cause });
    }
  };
}
