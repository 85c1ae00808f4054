/** Owns asking an admin side for its metrics. Refuses to judge what they say. */
import { type ExpositionPage, readExposition } from '../../support/exposition.js';

/** Scrapes once, and reads what came strictly. */
export async function scrape(adminUrl: string | undefined, token?: string): Promise<ExpositionPage> {
  return readExposition(await scrapeText(adminUrl, token));
}

/** Scrapes once, as text. */
export async function scrapeText(adminUrl: string | undefined, token?: string): Promise<string> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${adminUrl}/metrics`, { headers });
  if (answer.status !== 200) throw new Error(`the answer is ${answer.status}: ${await answer.text()}`);
  return await answer.text();
}
