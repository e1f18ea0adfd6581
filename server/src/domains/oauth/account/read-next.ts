const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const device = 'device(?:\\?user_code=[A-Za-z0-9-]{1,20})?';
const firstBudget = 'mandates/new\\?appId=[\\w.~%*+-]{1,300}';
const security = 'account/security(?:\\?next=%2Finteraction%2F[\\w-]{1,100})?';
const own = 'account(?:/(?:apps|connected|devices|events|keys))?';
const credits = `credits(?:\\?need=\\d{1,16}|\\?(?:purchase|subscription)=${uuid})?`;
const search =
  'search=[\\w.*%+-]*&show=(?:everybody|administrators|inactive|banned)(?:&cursor=[\\w-]{1,200})?';
const admin = `admin/people(?:/${uuid}|\\?${search})?`;
const upstream = 'sign-in/continue\\?ticket=[\\w-]{43}';
const pages = new RegExp(
  `^/(?:access-requests|${own}|${admin}|${credits}|${upstream}|${security}|${device}|mandates/${uuid}|${firstBudget})$`,
);

/** The page of ours that an address names, if it is one that signing in may lead on to; nothing else. */
export function readNext(next: string | undefined): string | undefined {
  return next !== undefined && pages.test(next) ? next : undefined;
}

/** An address of ours that remembers where to go on. */
export function withNext(path: string, next: string | undefined): string {
  return next === undefined ? path : `${path}?${new URLSearchParams({ next }).toString()}`;
}
