// Which page is shown: the part of the address after #.

export const PAGES = ["home", "wallet", "network"] as const;
export type Page = (typeof PAGES)[number];

export class Route {
  page = $state<Page>(pageOf(location.hash));

  /** Follows the address until the returned function is called. */
  follow(): () => void {
    const read = () => (this.page = pageOf(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }
}

export function addressOf(page: Page): string {
  return `#/${page}`;
}

function pageOf(hash: string): Page {
  const name = hash.replace(/^#\/?/, "").split("?")[0];
  return PAGES.find((page) => page === name) ?? "home";
}
