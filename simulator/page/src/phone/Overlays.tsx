// What lies over the chat. While something does, the chat below is inert.
import { overlay } from "../store/ui";
import { Conversations } from "./mini/Conversations";
import { PageSheet } from "./mini/PageSheet";
import { About } from "./sheets/About";
import { Browser, MiniProgram } from "./sheets/Browser";
import { LinkSheet } from "./sheets/LinkSheet";
import { PictureSheet } from "./sheets/PictureSheet";
import { PlaceSheet } from "./sheets/PlaceSheet";
import { ScanSheet } from "./sheets/ScanSheet";

export function Overlays() {
  const open = overlay.value;
  switch (open?.kind) {
    case "scan":
      return <ScanSheet button={open.button} waits={open.waits ?? false} />;
    case "place":
      return <PlaceSheet button={open.button} />;
    case "link":
      return <LinkSheet />;
    case "picture":
      return <PictureSheet button={open.button} />;
    case "browser":
      return <Browser key={open.url} url={open.url} />;
    case "mini":
      return <MiniProgram appid={open.appid} pagepath={open.pagepath} />;
    case "conversations":
      return <Conversations />;
    case "page":
      return <PageSheet />;
    case "about":
      return <About />;
    default:
      return null;
  }
}
