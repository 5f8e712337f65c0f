// The texts of the list of shops.

import { pageTexts } from "../texts.ts";

export default pageTexts(
  {
    shopsLead_one: "{n} shop of {email}",
    shopsLead_other: "{n} shops of {email}",
    shopsNone: "You are a member of no shop.",
    shopsSearch: "Search shops",
    role_owner: "owner",
    role_admin: "admin",
    role_viewer: "viewer",
  },
  {
    de: {
      shopsLead_one: "{n} Laden von {email}",
      shopsLead_other: "{n} Läden von {email}",
      shopsNone: "Sie gehören zu keinem Laden.",
      shopsSearch: "Läden suchen",
      role_owner: "Inhaber",
      role_admin: "Verwaltung",
      role_viewer: "nur ansehen",
    },
    es: {
      shopsLead_one: "{n} tienda de {email}",
      shopsLead_other: "{n} tiendas de {email}",
      shopsNone: "No pertenece a ninguna tienda.",
      shopsSearch: "Buscar tiendas",
      role_owner: "propiedad",
      role_admin: "gestión",
      role_viewer: "solo ver",
    },
    fr: {
      shopsLead_one: "{n} boutique de {email}",
      shopsLead_other: "{n} boutiques de {email}",
      shopsNone: "Vous n’appartenez à aucune boutique.",
      shopsSearch: "Chercher une boutique",
      role_owner: "propriétaire",
      role_admin: "gestion",
      role_viewer: "lecture seule",
    },
    pt: {
      shopsLead_one: "{n} loja de {email}",
      shopsLead_other: "{n} lojas de {email}",
      shopsNone: "Não pertence a nenhuma loja.",
      shopsSearch: "Procurar lojas",
      role_owner: "propriedade",
      role_admin: "gestão",
      role_viewer: "só ver",
    },
    ar: {
      shopsLead_one: "متجر واحد لدى {email} ({n})",
      shopsLead_other: "{n} متجر لدى {email}",
      shopsNone: "لا تنتمي إلى أي متجر.",
      shopsSearch: "البحث في المتاجر",
      role_owner: "مالك",
      role_admin: "إدارة",
      role_viewer: "مشاهدة فقط",
      shopsLead_zero: "لا متاجر لدى {email} ({n})",
      shopsLead_two: "متجران لدى {email} ({n})",
      shopsLead_few: "{n} متاجر لدى {email}",
      shopsLead_many: "{n} متجرًا لدى {email}",
    },
  },
);
