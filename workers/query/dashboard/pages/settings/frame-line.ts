// The line of HTML that shows a share link inside somebody's page. Pure: the tests ask it without a page.

/** The link in a frame of 30 days; of its address the part behind "#" reaches no server. */
export function frameLine(
  { id, token }: { readonly id: string; readonly token: string },
  { origin, name }: { readonly origin: string; readonly name: string },
): string {
  const title = name.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const address = `${origin}/embed/${id}?v=1&amp;range=30d#${token}`;
  return `<iframe src="${address}" title="${title}" width="100%" height="560" loading="lazy" style="border:0"></iframe>`;
}
