// Something new came below what is being read.
import { t } from "../text";
import { Icon } from "../ui/Icon";

export function ToEnd({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" class="to-end" onClick={onClick}>
      <Icon name="down" size={16} />
      {t().phone.newMessages}
    </button>
  );
}
