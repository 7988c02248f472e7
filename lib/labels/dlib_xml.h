/*
 * dlib's XML, as its imglab writes it:
 *
 *   <image file='a.jpg'>
 *     <box top='79' left='145' width='76' height='76'>
 *       <label>name of the face</label>
 *       <part name='nose' x='182' y='110'/>
 *
 * Points are in the order in which their names first appear in the file; a part that a
 * face lacks is missing.  A box with ignore='1' is left out.  Coordinates count from 0 at
 * the centre of the first pixel; a box spans left to left + width.
 *
 * It is read as UTF-8, whatever it declares: imglab declares ISO-8859-1 and writes file
 * names as they are.  Entities are refused.
 */
#ifndef KF_DLIB_XML_H
#define KF_DLIB_XML_H

#include "formats/input.h"
#include "labels/faces.h"

/* Fills an empty list. */
int kf_dlib_xml_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err);

#endif
