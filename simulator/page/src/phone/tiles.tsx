// What opens the panel of other things to send, and what is in it.
import { t } from "../text";
import { FileInput } from "../ui/FileInput";
import { Icon, type IconName } from "../ui/Icon";

export function PlusButton({ open, onClick }: { open: boolean; onClick: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={t().phone.plus} aria-expanded={open} onClick={onClick}>
      <span class="plus">
        <Icon name="plus" size={20} />
      </span>
    </button>
  );
}

export function Tile({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="tile" onClick={onClick}>
      <span>
        <Icon name={icon} size={26} />
      </span>
      {label}
    </button>
  );
}

export function FileTile({
  icon,
  label,
  accept,
  onFile,
}: {
  icon: IconName;
  label: string;
  accept: string;
  onFile: (file: File | undefined) => void;
}) {
  return (
    <label class="tile">
      <span>
        <Icon name={icon} size={26} />
      </span>
      {label}
      <FileInput accept={accept} onFile={onFile} />
    </label>
  );
}
