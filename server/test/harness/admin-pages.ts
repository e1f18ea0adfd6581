import type pg from 'pg';
import { expectPage, TestBrowser, type ShownPage, type TestProvider } from './oauth.ts';
import { registerPerson, type Person } from './people.ts';
import { connectAsOwner } from './wallets.ts';

/** The pages for administrators of a service, as they use them. */
export class AdminPages {
  private readonly service: TestProvider;
  readonly owner: pg.Client;

  private constructor(service: TestProvider, owner: pg.Client) {
    this.service = service;
    this.owner = owner;
  }

  static async of(service: TestProvider): Promise<AdminPages> {
    return new AdminPages(service, await connectAsOwner(service));
  }

  async newAdministrator(): Promise<Person> {
    const person = await registerPerson(this.service);
    await this.owner.query(`update auth.users set role = 'admin' where id = $1`, [person.id]);
    return person;
  }

  /** Opens a page in a browser of its own, signing in on the way. */
  async openAs(person: Person, path: string): Promise<{ browser: TestBrowser; shown: ShownPage }> {
    const browser = new TestBrowser(this.service);
    const shown = await browser.submit(expectPage(await browser.open(path), 'sign-in'), person);
    return { browser, shown: atPage(shown) };
  }

  /** What administrators did about somebody. */
  async auditOf({ id }: Person): Promise<{ action: string; reason: string | null }[]> {
    const { rows } = await this.owner.query(
      `select action, reason from audit.events where target_id = $1 order by action`,
      [id],
    );
    return rows;
  }
}

export const peoplePath = '/admin/people';

export const openPerson = async (browser: TestBrowser, { id }: Person): Promise<ShownPage> =>
  expectPage(await browser.open(`${peoplePath}/${id}`), 'person');

/** Sends a form of somebody's page. */
export async function act(
  browser: TestBrowser,
  shown: ShownPage,
  action: string,
  fields: Record<string, string> = {},
): Promise<ShownPage> {
  const found = shown.page.actions.find((one: any) => one.action === action);
  if (!found) throw new Error(`${action} is not offered`);
  return atPage(await browser.submit({ ...shown, page: { form: found.form } }, fields));
}

function atPage(shown: ShownPage | URL): ShownPage {
  if (shown instanceof URL) throw new Error(`the browser left for ${shown.href}`);
  return shown;
}
