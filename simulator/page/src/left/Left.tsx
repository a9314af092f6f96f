import { view } from "../store/live";
import { AccountSettings } from "./Account";
import { ClockSettings } from "./Clock";
import { Events } from "./Events";
import { MiniSettings } from "./Mini";
import { NetworkFaults } from "./Network";
import { People } from "./People";
import { PlatformFaults } from "./Platform";

/** What is simulated, who is there, what happens and what goes wrong. */
export function Left() {
  if (!view.value) return <div class="left-body" aria-busy="true" />;
  return (
    <div class="left-body">
      <AccountSettings />
      <MiniSettings />
      <People />
      <Events />
      <NetworkFaults />
      <PlatformFaults />
      <ClockSettings />
    </div>
  );
}
