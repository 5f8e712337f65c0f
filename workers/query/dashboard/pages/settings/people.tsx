// Settings, People: members and their roles, and invites, whose links the owner hands over.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { t as common, speak } from "../../text.ts";
import {
  Cell,
  Choice,
  Confirm,
  Field,
  List,
  Maker,
  Once,
  ofShop,
  Problem,
  type Question,
  type Told,
  useAct,
  useList,
  when,
} from "./act.tsx";
import texts from "./text.ts";

const { t, named } = speak(texts);

interface Person {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly created_at: string;
}
interface Invite extends Person {
  readonly expires_at: string;
}

const ROLES = ["viewer", "admin", "owner"].map((role) => [role, named(`role_${role}`)] as const);

/** Members and invites of the shop. */
export function People() {
  const members = useList<Person>(ofShop("/members"), "members");
  const invites = useList<Invite>(ofShop("/invites"), "invites");
  const [question, ask] = useState<Question>();
  const [told, tell] = useState<Told>();
  const act = useAct();
  const invite = async (given: (name: string) => string) => {
    const body = { email: given("email"), role: given("role") };
    const made = await act.send<Invite & { readonly token: string }>("POST", ofShop("/invites"), body);
    if (made === undefined) return false;
    tell({
      title: t("inviteMade", { name: made.email }),
      lead: t("inviteMadeLead", { when: when(made.expires_at) }),
      text: `${location.origin}/invite#${made.token}`,
    });
    invites.reload();
    return true;
  };
  return (
    <>
      <p class="mute lead">{t("peopleLead")}</p>
      {told !== undefined && <Once told={told} done={() => tell(undefined)} />}
      <List
        title={t("members")}
        none={t("membersNone")}
        list={members}
        columns={[common("email"), t("role"), t("since"), t("actions")]}
      >
        {members.rows?.map((one) => (
          <MemberRow key={`${one.id} ${one.role}`} member={one} ask={ask} changed={members.reload} />
        ))}
      </List>
      <Maker title={t("inviteNew")} does={t("inviteMake")} act={act} submit={invite} fields={["email"]}>
        <Field name="email" type="email" label={common("email")} failure={act.failure} required />
        <Choice name="role" label={t("role")} help={t("roleHelp")} options={ROLES} />
      </Maker>
      <List
        title={t("invites")}
        none={t("invitesNone")}
        list={invites}
        columns={[common("email"), t("role"), t("ends"), t("actions")]}
      >
        {invites.rows?.map(({ id, email, role, expires_at }) => (
          <tr key={id}>
            <th scope="row">
              <bdi>{email}</bdi>
            </th>
            <Cell of={t("role")}>{named(`role_${role}`)}</Cell>
            <Cell of={t("ends")}>{when(expires_at)}</Cell>
            <td>
              <button
                type="button"
                aria-label={`${t("revoke")}: ${email}`}
                onClick={() =>
                  ask({
                    title: t("inviteRevoke", { name: email }),
                    lost: t("inviteRevokeLost"),
                    does: t("revoke"),
                    method: "DELETE",
                    path: ofShop(`/invites/${encodeURIComponent(id)}`),
                    done: invites.reload,
                  })
                }
              >
                {t("revoke")}
              </button>
            </td>
          </tr>
        ))}
      </List>
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </>
  );
}

interface MemberProps {
  readonly member: Person;
  readonly ask: (question: Question) => void;
  readonly changed: () => void;
}

/** A member, whose role is changed when it is chosen and saved: arrow keys choose, and change nothing yet. */
function MemberRow({ member: { id, email, role, created_at }, ask, changed }: MemberProps) {
  const [chosen, choose] = useState(role);
  const act = useAct();
  const isSelf = email === boot.email;
  const path = ofShop(`/members/${encodeURIComponent(id)}`);
  const save = async () => {
    if ((await act.send("PATCH", path, { role: chosen })) === undefined) return;
    if (isSelf) location.reload(); // what this person may is another now
    document.getElementById("section-title")?.focus();
    changed();
  };
  return (
    <tr>
      <th scope="row">
        <bdi>{email}</bdi> {isSelf && <span class="mute">{t("you")}</span>}
        <Problem failure={act.failure} conflict={t("memberLast")} />
      </th>
      <Cell of={t("role")}>
        <span class="choices">
          <select
            aria-label={`${t("role")}: ${email}`}
            value={chosen}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            {ROLES.map(([one, says]) => (
              <option key={one} value={one}>
                {says}
              </option>
            ))}
          </select>
          {chosen !== role && (
            <button type="button" aria-disabled={act.isBusy} aria-label={`${t("save")}: ${email}`} onClick={save}>
              {t("save")}
            </button>
          )}
        </span>
      </Cell>
      <Cell of={t("since")}>{when(created_at)}</Cell>
      <td>
        <button
          type="button"
          aria-label={`${t("remove")}: ${email}`}
          onClick={() =>
            ask({
              title: t("memberRemove", { name: email }),
              lost: isSelf ? t("memberRemoveSelf") : t("memberRemoveLost"),
              does: t("remove"),
              method: "DELETE",
              path,
              conflict: t("memberLast"),
              done: () => (isSelf ? location.assign("/") : changed()),
            })
          }
        >
          {t("remove")}
        </button>
      </td>
    </tr>
  );
}
