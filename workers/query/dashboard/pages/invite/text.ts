// The texts of the page of an invite.

import { pageTexts } from "../texts.ts";

export default pageTexts(
  {
    inviteTitle: "You are invited",
    inviteLead: "Choose a password, and you are in. The link works once, within a week.",
    inviteSame: "If you sign in to another shop here already, choose the same password: one sign-in then opens both.",
    newPassword: "New password",
    newPasswordHelp: "10 to 200 characters",
    inviteTake: "Choose this password",
    inviteGone: "This invite was used, has ended or was withdrawn. Ask the owner of the shop for another.",
    inviteMissing: "This address is not whole: an invite's link ends in # and a long text.",
  },
  {
    de: {
      inviteTitle: "Sie sind eingeladen",
      inviteLead: "Wählen Sie ein Passwort, und Sie sind dabei. Der Link gilt einmal, eine Woche lang.",
      inviteSame:
        "Wenn Sie sich hier schon bei einem anderen Laden anmelden, nehmen Sie dasselbe Passwort: eine Anmeldung öffnet dann beide.",
      newPassword: "Neues Passwort",
      newPasswordHelp: "10 bis 200 Zeichen",
      inviteTake: "Dieses Passwort nehmen",
      inviteGone:
        "Diese Einladung wurde benutzt, ist abgelaufen oder zurückgezogen. Bitten Sie die Inhaberin des Ladens um eine neue.",
      inviteMissing: "Diese Adresse ist nicht vollständig: der Link einer Einladung endet mit # und einem langen Text.",
    },
    es: {
      inviteTitle: "Tiene una invitación",
      inviteLead: "Elija una contraseña y ya está dentro. El enlace sirve una vez, durante una semana.",
      inviteSame: "Si ya entra aquí en otra tienda, elija la misma contraseña: así una sola entrada abre las dos.",
      newPassword: "Contraseña nueva",
      newPasswordHelp: "De 10 a 200 caracteres",
      inviteTake: "Elegir esta contraseña",
      inviteGone: "Esta invitación ya se usó, ha caducado o fue retirada. Pida otra a quien lleva la tienda.",
      inviteMissing: "Esta dirección no está completa: el enlace de una invitación termina en # y un texto largo.",
    },
    fr: {
      inviteTitle: "Vous êtes invité",
      inviteLead: "Choisissez un mot de passe, et vous y êtes. Le lien sert une fois, pendant une semaine.",
      inviteSame:
        "Si vous vous connectez déjà ici à une autre boutique, prenez le même mot de passe : une seule connexion ouvrira les deux.",
      newPassword: "Nouveau mot de passe",
      newPasswordHelp: "De 10 à 200 caractères",
      inviteTake: "Choisir ce mot de passe",
      inviteGone:
        "Cette invitation a servi, a expiré ou a été retirée. Demandez-en une autre à la personne qui tient la boutique.",
      inviteMissing: "Cette adresse n’est pas entière : le lien d’une invitation finit par # et un long texte.",
    },
    pt: {
      inviteTitle: "Tem um convite",
      inviteLead: "Escolha uma palavra-passe e já está. A ligação serve uma vez, durante uma semana.",
      inviteSame: "Se já entra aqui noutra loja, escolha a mesma palavra-passe: uma só entrada abre então as duas.",
      newPassword: "Nova palavra-passe",
      newPasswordHelp: "De 10 a 200 caracteres",
      inviteTake: "Escolher esta palavra-passe",
      inviteGone: "Este convite já foi usado, terminou ou foi retirado. Peça outro a quem tem a loja.",
      inviteMissing: "Este endereço não está completo: a ligação de um convite termina em # e um texto longo.",
    },
    ar: {
      inviteTitle: "لديك دعوة",
      inviteLead: "اختر كلمة مرور وستكون في الداخل. الرابط صالح مرة واحدة خلال أسبوع.",
      inviteSame: "إذا كنت تدخل هنا إلى متجر آخر، فاختر كلمة المرور نفسها: عندها يفتح دخول واحد المتجرين.",
      newPassword: "كلمة مرور جديدة",
      newPasswordHelp: "من 10 إلى 200 حرف",
      inviteTake: "اختيار كلمة المرور هذه",
      inviteGone: "هذه الدعوة استُخدمت أو انتهت أو سُحبت. اطلب أخرى من صاحب المتجر.",
      inviteMissing: "هذا العنوان غير كامل: ينتهي رابط الدعوة بعلامة # ونص طويل.",
    },
  },
);
