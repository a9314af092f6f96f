import { useId, useState } from "preact/hooks";
import { api, told } from "../api";
import { displayName, person as chosen, view } from "../store/live";
import { chosenName } from "../store/prefs";
import { overlay } from "../store/ui";
import { t } from "../text";
import type { Person } from "../types";
import { Avatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";

/** Shows somebody's phone. */
function pick(name: string) {
  chosenName.value = name;
  overlay.value = null;
}

/** Whether a scenario met this person: each run has its own people, with the run's number in their names. */
const ofScenario = ({ name }: Person) => name.includes("~");

export function People() {
  const group = useId();
  const { people } = view.value!;
  const words = t().people;
  const met = people.filter(ofScenario);
  const one = (person: Person) => <One key={person.openid} group={group} person={person} alone={people.length === 1} />;
  return (
    <section class="group">
      <h2>{words.title}</h2>
      {people.length === 0 && <p class="hint">{words.empty}</p>}
      <div role="radiogroup" aria-label={words.title} class="people">
        {people.filter((person) => !ofScenario(person)).map(one)}
        {met.length > 0 && (
          <details class="met">
            <summary>{words.ofScenarios(met.length)}</summary>
            {met.map(one)}
          </details>
        )}
      </div>
      <Add />
    </section>
  );
}

function One({ person, group, alone }: { person: Person; group: string; alone: boolean }) {
  const words = t().people;
  const state = person.blacklisted ? words.blacklisted : person.following ? words.following : words.notFollowing;
  return (
    <div class="person">
      <label>
        <input
          type="radio"
          name={group}
          checked={chosen.value?.openid === person.openid}
          onChange={() => pick(person.name)}
          aria-label={displayName(person)}
        />
        <Avatar name={displayName(person)} />
        <span class="person-text">
          <span class="person-name">
            <span class="person-called" title={person.name}>
              {displayName(person)}
            </span>
            <span class={person.following ? "tag good" : "tag"}>{state}</span>
          </span>
          <span class="person-id" title={`${person.openid}\n${words.allowance(person.allowance)}`}>
            {ofScenario(person) ? person.name : person.openid}
          </span>
        </span>
      </label>
      {!alone && (
        <button
          type="button"
          class="icon-button person-remove"
          aria-label={words.remove(displayName(person))}
          onClick={() => void told(api.removePerson(person.name))}
        >
          <Icon name="close" size={14} />
        </button>
      )}
    </div>
  );
}

function Add() {
  const [name, setName] = useState("");
  const words = t().people;
  const add = async (event: Event) => {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === "") return;
    if ((await told(api.addPerson(trimmed).then(() => true))) !== true) return;
    setName("");
    pick(trimmed);
  };
  return (
    <form class="add" onSubmit={(event) => void add(event)}>
      <input
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        placeholder={words.add}
        aria-label={words.name}
        maxLength={40}
      />
      <button type="submit" class="icon-button" aria-label={words.add} disabled={name.trim() === ""}>
        <Icon name="plus" size={16} />
      </button>
    </form>
  );
}
