// The texts of the calendar.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    calendar: "Choose two days",
    calendarFrom: "First day",
    calendarTo: "Last day",
    monthBefore: "Month before",
    monthAfter: "Month after",
  },
  {
    ar: {
      calendar: "اختر يومين",
      calendarFrom: "اليوم الأول",
      calendarTo: "اليوم الأخير",
      monthBefore: "الشهر السابق",
      monthAfter: "الشهر التالي",
    },
    de: {
      calendar: "Zwei Tage wählen",
      calendarFrom: "Erster Tag",
      calendarTo: "Letzter Tag",
      monthBefore: "Monat davor",
      monthAfter: "Monat danach",
    },
    es: {
      calendar: "Elegir dos días",
      calendarFrom: "Primer día",
      calendarTo: "Último día",
      monthBefore: "Mes anterior",
      monthAfter: "Mes siguiente",
    },
    fr: {
      calendar: "Choisir deux jours",
      calendarFrom: "Premier jour",
      calendarTo: "Dernier jour",
      monthBefore: "Mois d’avant",
      monthAfter: "Mois d’après",
    },
    pt: {
      calendar: "Escolher dois dias",
      calendarFrom: "Primeiro dia",
      calendarTo: "Último dia",
      monthBefore: "Mês anterior",
      monthAfter: "Mês seguinte",
    },
  },
);
